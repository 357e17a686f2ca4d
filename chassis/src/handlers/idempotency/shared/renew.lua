-- Says that a call is still under way; ARGV as for begin.lua. A Redis that has lost what it kept is told again.
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder == ARGV[2] or redis.call('EXISTS', KEYS[1]) == 0 then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'holder', ARGV[2], 'until', now + ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return { 'renewed' }
end
return { 'lost' }
