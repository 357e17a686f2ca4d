-- Says that a call is still under way; ARGV as for begin.lua. Only what is there is renewed: this may come after the end.
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[2] then
    return { 'lost' }
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'until', now + ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { 'renewed' }
