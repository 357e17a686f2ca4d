-- Begins a call, if no call of this name was begun.
--
-- KEYS[1] names the call; ARGV are its fingerprint, who begins it, and how long that counts (milliseconds). What is kept
-- is a hash: `fingerprint`, `holder` as long as the call is under way, `answer` when it was answered with something that
-- can be given again. Answers how the name stands, and with the answer if there is one.
local kept = redis.call('HMGET', KEYS[1], 'fingerprint', 'holder', 'answer')
if not kept[1] then
    redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'holder', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return { 'begun' }
elseif kept[1] ~= ARGV[1] then
    return { 'differs' }
elseif kept[2] then
    return { 'running' }
elseif kept[3] then
    return { 'answered', kept[3] }
end
return { 'unkept' }
