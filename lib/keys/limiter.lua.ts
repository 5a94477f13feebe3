/**
 * The limiter, as Lua that runs inside Redis. Shared by the key check and by every other limit, and given its time, so
 * that tests can give it one. README.md says why it looks like this.
 *
 * - Up to 128 per window: the times of the admitted calls (ms, 6 bytes each), oldest first. Exact.
 * - Above: 40 sub-buckets of a window. A call is admitted only if the last 40 (with the running one) hold fewer than
 *   `limit`, which never refuses an even client, and the last 41 fewer than 105 % of it: any stretch of one window
 *   lies within 41, so no edge gets around that. Layout: running bucket's number (6 bytes), sum of the last 40, of the
 *   last 41, the running bucket's count, then the counts of up to 40 earlier ones, newest first (4 bytes each).
 *
 * Window and kind are part of the key's name: another window begins anew. State expires by itself.
 */
export const limiterLua = `
local function exactLook(key, limit, window, now)
  local times = redis.call('GET', key) or ''
  local total = math.floor(#times / 6)
  local newest = total > 0 and struct.unpack('>I6', times, total * 6 - 5) or 0
  -- A clock that went back (a fail-over) must not let times run backwards.
  local at = math.max(now, newest)
  local low, high = 0, total
  while low < high do
    local middle = math.floor((low + high) / 2)
    if at - struct.unpack('>I6', times, middle * 6 + 1) >= window then low = middle + 1 else high = middle end
  end
  local count = total - low
  local state = { key = key, limit = limit, window = window, at = at, exact = true, ok = count < limit, wait = 0,
    times = low == 0 and times or string.sub(times, low * 6 + 1), remaining = math.max(0, limit - count), reset = count > 0 and newest + window or now }
  if not state.ok then state.wait = struct.unpack('>I6', times, (low + count - limit) * 6 + 1) + window - now end
  return state
end

local function exactTake(state)
  redis.call('SET', state.key, state.times .. struct.pack('>I6', state.at), 'PX', state.window + 1000)
  state.remaining = state.remaining - 1
  state.reset = state.at + state.window
end

local function countsOf(earlier)
  local counts = { struct.unpack('>' .. string.rep('I4', #earlier / 4), earlier) }
  counts[#counts] = nil
  return counts
end

local function bucketWait(state, now)
  local counts = countsOf(state.earlier)
  local upTo, sum = {}, state.current
  upTo[0] = sum
  for i = 1, 40 do
    sum = sum + (counts[i] or 0)
    upTo[i] = sum
  end
  for step = 1, 40 do
    if (upTo[39 - step] or 0) < state.limit and upTo[40 - step] < state.ceiling then return (state.number + step) * state.width - now end
  end
  return (state.number + 41) * state.width - now
end

local function bucketReset(state, now)
  local number, count = state.number, state.current
  if count == 0 then
    for i, earlier in ipairs(countsOf(state.earlier)) do
      if earlier > 0 then
        number, count = state.number - i, earlier
        break
      end
    end
  end
  if count == 0 then return now end
  return math.max(now, (number + (count <= state.ceiling - state.limit and 40 or 41)) * state.width)
end

local function bucketLook(key, limit, window, now)
  local width = window / 40
  local state = { key = key, limit = limit, window = window, at = now, width = width, number = math.floor(now / width),
    ceiling = math.floor(limit * 105 / 100), sum40 = 0, sum41 = 0, current = 0, earlier = '', wait = 0 }
  local packed = redis.call('GET', key)
  if packed then
    local number
    number, state.sum40, state.sum41, state.current = struct.unpack('>I6I4I4I4', packed)
    state.earlier = string.sub(packed, 19)
    local steps = state.number - number
    if steps <= 0 then
      state.number = number
    else
      local counts = ''
      if steps <= 40 then counts = string.sub(string.rep('\\0', 4 * (steps - 1)) .. struct.pack('>I4', state.current) .. state.earlier, 1, 160) end
      local sum = 0
      local last = 0
      for i, count in ipairs(countsOf(counts)) do
        if i <= 39 then sum = sum + count else last = count end
      end
      state.earlier, state.current, state.sum40, state.sum41 = counts, 0, sum, sum + last
    end
  end
  state.ok = state.sum40 < limit and state.sum41 < state.ceiling
  state.remaining = math.max(0, math.min(limit - state.sum40, state.ceiling - state.sum41))
  state.reset = bucketReset(state, now)
  if not state.ok then state.wait = bucketWait(state, now) end
  return state
end

local function bucketWrite(state, ...)
  redis.call('SET', state.key, struct.pack('>I6I4I4I4', state.number, state.sum40, state.sum41, state.current) .. state.earlier, ...)
end

local function bucketTake(state, now)
  state.current, state.sum40, state.sum41 = state.current + 1, state.sum40 + 1, state.sum41 + 1
  bucketWrite(state, 'PX', state.window + state.width + 1000)
  state.remaining = state.remaining - 1
  state.reset = bucketReset(state, now)
end

local function look(name, limit, seconds, now)
  if limit <= 128 then return exactLook(name .. ':' .. seconds .. ':e', limit, seconds * 1000, now) end
  return bucketLook(name .. ':' .. seconds .. ':b', limit, seconds * 1000, now)
end

local function take(state, now)
  if state.exact then exactTake(state) else bucketTake(state, now) end
end

-- Undoes a take of the moment 'at', for what turned out not to count.
local function giveBack(name, limit, seconds, at)
  if limit <= 128 then
    local key = name .. ':' .. seconds .. ':e'
    local times = redis.call('GET', key) or ''
    for i = #times - 5, 1, -6 do
      if struct.unpack('>I6', times, i) == at then
        redis.call('SET', key, string.sub(times, 1, i - 1) .. string.sub(times, i + 6), 'KEEPTTL')
        return
      end
    end
    return
  end
  local state = bucketLook(name .. ':' .. seconds .. ':b', limit, seconds * 1000, at)
  if state.number == math.floor(at / state.width) and state.current > 0 then
    state.current, state.sum40, state.sum41 = state.current - 1, state.sum40 - 1, state.sum41 - 1
    bucketWrite(state, 'KEEPTTL')
  end
end

-- Takes one from each limit, or from none. Answers the limit that the caller should hear about: the one that makes
-- them wait longest, else the one with the least left; and all states. Each limit is { label, name, limit, seconds }.
local function takeAll(limits, now, cost)
  local refused, tightest
  local states = {}
  for i, l in ipairs(limits) do
    local state = look(l[2], l[3], l[4], now)
    state.label = l[1]
    states[i] = state
    if not state.ok and (not refused or state.wait > refused.wait) then refused = state end
  end
  if refused then return false, refused, states end
  for _, state in ipairs(states) do
    if cost > 0 then take(state, now) end
    if not tightest or state.remaining < tightest.remaining then tightest = state end
  end
  return true, tightest, states
end
`;
