-- Begins a call, if no call of this name was begun.
--
-- KEYS[1] names the call; ARGV are its fingerprint, who begins it, how long that counts, and how long it is remembered
-- (milliseconds). What is kept is a hash: `fingerprint`; `holder` and `until` (milliseconds since 1970) as long as nobody has
-- said how the call ended; `answer` when it was answered with something that can be given again. Of a call that came to
-- nothing it is only `forgotten`, who began it: what that one still sends may be on its way and begins nothing. Answers how
-- the name stands, and with the answer if there is one.
local kept = redis.call('HMGET', KEYS[1], 'fingerprint', 'holder', 'until', 'answer', 'forgotten')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if kept[5] == ARGV[2] then
    return { 'forgotten' }
elseif not kept[1] then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'holder', ARGV[2], 'until', now + ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return { 'begun' }
elseif kept[1] ~= ARGV[1] then
    return { 'differs' }
elseif kept[2] and tonumber(kept[3]) > now then
    return { 'running' }
elseif kept[2] then
    return { 'unknown' }
elseif kept[4] then
    return { 'answered', kept[4] }
end
return { 'unkept' }
