-- Judges one call by several policies, by the clock of Redis: all of them count it, or none does.
--
-- KEYS[i] is what policy i counts by, ARGV[2i-1] the time that the call uses up and ARGV[2i] the time that a full burst
-- does, in nanoseconds. What is kept is the time that was used up, and when (microseconds since 1970): all of them whole
-- numbers, and exact as long as a burst takes less than 104 days. Answers 1 or 0, whether it passes, and what is used up
-- of each policy now.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local passes = true
local used, asked = {}, {}
for i, key in ipairs(KEYS) do
    asked[i] = tonumber(ARGV[2 * i - 1])
    local most = tonumber(ARGV[2 * i])
    local was, at = string.match(redis.call('GET', key) or '', '^(%d+) (%d+)$')
    used[i] = 0
    if was then
        -- A burst may be smaller than it was, and a clock may have been set back: nobody waits longer for that.
        local since = math.max(0, now - tonumber(at)) * 1000
        used[i] = math.max(0, math.min(tonumber(was), most) - since)
    end
    passes = passes and used[i] + asked[i] <= most
end
local answer = { passes and '1' or '0' }
for i, key in ipairs(KEYS) do
    if passes then
        used[i] = used[i] + asked[i]
        local kept = string.format('%.0f %.0f', used[i], now)
        redis.call('SET', key, kept, 'PX', string.format('%.0f', math.ceil(used[i] / 1000000)))
    end
    answer[i + 1] = string.format('%.0f', used[i])
end
return answer
