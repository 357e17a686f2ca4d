-- Says that a call is still under way; ARGV as for begin.lua. A Redis that has lost what it kept is told again.
local holder = redis.call('HGET', KEYS[1], 'holder')
if holder == ARGV[2] or redis.call('EXISTS', KEYS[1]) == 0 then
    redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'holder', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return { 'renewed' }
end
return { 'lost' }
