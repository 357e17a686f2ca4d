-- Ends a call; only who began it can. ARGV are its fingerprint, who began it, how it ended, how long that is kept
-- (milliseconds), and the answer, if it can be given again. A Redis that has lost what it kept is told all the same: the
-- call was made.
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder ~= ARGV[2] and redis.call('EXISTS', KEYS[1]) == 1 then
    return { 'lost' }
end
redis.call('DEL', KEYS[1])
if ARGV[3] == 'forgotten' then
    return { 'ended' }
end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1])
if ARGV[3] == 'unknown' then
    -- As if the lease was over.
    redis.call('HSET', KEYS[1], 'holder', ARGV[2], 'until', 0)
elseif ARGV[5] then
    redis.call('HSET', KEYS[1], 'answer', ARGV[5])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { 'ended' }
