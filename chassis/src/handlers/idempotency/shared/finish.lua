-- Ends a call; only who began it can. ARGV are its fingerprint, who began it, how it ended, how long that is kept
-- (milliseconds), and the answer, if it can be given again. A Redis that has lost what it kept is told all the same: the
-- call was made.
local kept = redis.call('HMGET', KEYS[1], 'fingerprint', 'holder')
if kept[1] and kept[2] ~= ARGV[2] then
    return { 'lost' }
end
redis.call('DEL', KEYS[1])
if ARGV[3] == 'forgotten' then
    redis.call('HSET', KEYS[1], 'forgotten', ARGV[2])
else
    redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1])
end
if ARGV[3] == 'unknown' then
    -- As if the lease was over.
    redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'until', 0)
elseif ARGV[5] then
    redis.call('HSET', KEYS[1], 'answer', ARGV[5])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { 'ended' }
