import { defineScript } from "@/lib/platform/records";
import { usageStream, usageStreamMax } from "@/lib/usage";
import { readTime } from "./limit";
import { limiterLua } from "./limiter.lua";

/**
 * The check of a batch of calls in one round trip. Per item KEYS has the record to start from and ARGV (from the third)
 * `<kind>|<needed permission's bit or 0>|<permissions at most>|<cost>|<token family>|<limit's name of the address>|<the address, packed>|<other record to start from>|<ms>`;
 * ARGV[1] is the run_id of this Redis, ARGV[2] the limit of failed authentications, `requests|seconds`.
 *
 * Kinds: `k` starts from a key's record, `u` from a person's. Whatever stands behind the cost may be empty. An address of `*` is not
 * compared with the key's ranges. With cost 0 nothing is taken, and `ms` is the moment to judge by; else it is now. Keys that
 * stand in records (person, tenant, limits) are built in here, which one primary allows.
 *
 * Answers two strings per item: `M` (something must be loaded from PostgreSQL), `X|<error>` (this item alone failed) or
 * `R|code|now|key|user|permissions|requests|seconds|label|limit|window|remaining|reset|wait|expires|overlap end|seen|chatflows|ranges|secret's generation`; then the
 * person as JSON. The ranges are told only to who is refused by them.
 */
export const checkScript = defineScript(`${limiterLua}${readTime}
local run = ARGV[1] .. '|'
local failRequests, failSeconds = string.match(ARGV[2], '^(%d+)|(%d+)$')
failRequests, failSeconds = tonumber(failRequests), tonumber(failSeconds)
local events = {}

local function record(key)
  local value = redis.call('GET', key)
  if value and string.sub(value, 1, #run) == run then return string.sub(value, #run + 1) end
  return nil
end

local function reply(code, fields, now, state)
  local s = state or {}
  return table.concat({ 'R', code, now, fields.key or '', fields.user or '', fields.mask or 0, fields.requests or 0, fields.seconds or 0,
    s.label or '', s.limit or 0, s.window and s.window / 1000 or 0, s.remaining or 0, string.format('%.0f', s.reset or 0), string.format('%.0f', s.wait or 0),
    fields.ends or '', fields.overlap or '', fields.seen or '', fields.flows or '', code == 'ip' and fields.ranges or '', fields.generation or '' }, '|'), fields.person or ''
end

-- Whether a packed address lies in one of the packed ranges; digit by digit, see addresses.ts.
local function inside(ranges, address)
  if address == '' then return false end
  for network, bits in string.gmatch(ranges, '([46]%x+)/(%d+)') do
    local whole, rest = math.floor(bits / 4) + 1, bits % 4
    if string.sub(address, 1, whole) == string.sub(network, 1, whole) then
      local shift = 2 ^ (4 - rest)
      local digit = function(text) return math.floor(tonumber(string.sub(text, whole + 1, whole + 1), 16) / shift) end
      if rest == 0 or digit(address) == digit(network) then return true end
    end
  end
  return false
end

local function check(key, arg)
  local now = now
  local kind, need, most, cost, family, address, from, other, at = string.match(arg, '^(%a)|(%d+)|(%d+)|(%d)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(%d*)$')
  need, most, cost = tonumber(need), tonumber(most), tonumber(cost)
  if cost == 0 and at ~= '' then now = tonumber(at) end

  -- A refusal that says nothing good about the caller counts against the address; past its limit that is the answer.
  local function failed(code, fields)
    if address ~= '' and cost > 0 then
      local ok, state = takeAll({ { 'address', address, failRequests, failSeconds } }, now, 1)
      if not ok then return reply('address', fields, now, state) end
    end
    return reply(code, fields, now)
  end
  local function missing()
    -- Whoever guesses keys must not make the database work for every guess.
    if address ~= '' and cost > 0 then
      local ok, state = takeAll({ { 'address', address, failRequests, failSeconds } }, now, 0)
      if not ok then return reply('address', {}, now, state) end
    end
    return 'M', ''
  end

  local first = record(key)
  if not first then return missing() end
  if first == '-' and other ~= '' then
    first = record(other)
    if not first then return missing() end
  end
  if first == '-' then return failed('unknown', {}) end

  local fields, limits = {}, {}
  local tenant, keyState, expires, overlap, personKey
  local mask = most
  if kind == 'k' then
    -- An earlier secret leads to the key that it was rotated away from.
    local current, overlapEnd = string.match(first, '^>([^|]+)|(%d+)$')
    if current then
      overlap = tonumber(overlapEnd)
      first = record('sl:k:i:' .. current)
      if not first or first == '-' then return 'M', '' end
    end
    local id, keyTenant, user, stateLetter, ends, permissions, requests, seconds, flows, ranges, rotated, earlierEnd = string.match(first, '^([^|]+)|([^|]+)|([^|]+)|(%a)|(%d+)|(%d+)|(%d+)|(%d+)|([^|]*)|([^|]*)|(%d+)|(%d+)$')
    if not id then return 'M', '' end
    fields = { key = id, user = user, requests = tonumber(requests), seconds = tonumber(seconds), ends = ends, overlap = overlapEnd, flows = flows, ranges = ranges, generation = tonumber(rotated) - (overlap and 1 or 0), earlierEnd = tonumber(earlierEnd) }
    tenant, keyState, expires = keyTenant, stateLetter, tonumber(ends)
    mask = bit.band(mask, tonumber(permissions))
    limits[1] = { 'key', 'sl:l:k:' .. id, fields.requests, fields.seconds }
    personKey = 'sl:u:' .. user
  else
    personKey = key
    fields.user = string.sub(key, 6)
  end

  local person = kind == 'k' and record(personKey) or kind == 'u' and first
  if not person then return 'M', '' end
  local enabled, roleMask, userRequests, userSeconds, personTenant, json = string.match(person, '^(%d)|(%d+)|(%d+)|(%d+)|([^|]+)|(.*)$')
  if not enabled then return 'M', '' end
  local tenantState = record('sl:t:' .. personTenant)
  local tenantEnabled, tenantRequests, tenantSeconds = string.match(tenantState or '', '^(%d)|(%d+)|(%d+)$')
  if not tenantEnabled then return 'M', '' end
  mask = bit.band(mask, tonumber(roleMask))
  fields.person, fields.mask = json, mask
  limits[#limits + 1] = { 'user', 'sl:l:u:' .. fields.user, tonumber(userRequests), tonumber(userSeconds) }
  limits[#limits + 1] = { 'tenant', 'sl:l:t:' .. personTenant, tonumber(tenantRequests), tonumber(tenantSeconds) }

  -- Which calls came with an earlier secret is reported to the key's owner.
  local function noted(code)
    if fields.key and cost > 0 then events[#events + 1] = fields.key .. ':' .. code .. ((code == 'ok' and overlap) and '~' or '') end
  end
  local function answer(code, state)
    noted(code)
    return reply(code, fields, now, state)
  end
  local function unauthenticated(code)
    noted(code)
    return failed(code, fields)
  end
  -- Without a key the headers are about the person, however little the tenant has left.
  local function spoken(ok, state, states)
    if ok and kind == 'u' then return states[1] end
    return state
  end
  -- Refused before the limits: nothing is taken, but the caller still hears how they stand.
  local function forbidden(code, seen)
    fields.seen = seen
    return answer(code, spoken(takeAll(limits, now, 0)))
  end

  if family ~= '' then
    local alive, generation = string.match(record('sl:f:' .. family) or '', '^(%d)|(%d*)$')
    if not alive then return 'M', '' end
    if alive ~= '1' then return unauthenticated('family') end
    -- Tokens end with the secret that they were obtained with: the one before the last for as long as its overlap runs.
    if generation ~= '' and fields.generation and tonumber(generation) ~= fields.generation then
      overlap = tonumber(generation) == fields.generation - 1 and fields.earlierEnd or 0
      fields.overlap = string.format('%.0f', overlap)
    end
  end
  if keyState == 'r' then return unauthenticated('revoked') end
  if expires and expires > 0 and expires <= now then return unauthenticated('expired') end
  if keyState == 'd' then return unauthenticated('disabled') end
  if overlap and overlap <= now then return unauthenticated('rotated') end
  if tenantEnabled ~= '1' then return forbidden('owner', 'tenant') end
  if enabled ~= '1' then return forbidden('owner', 'person') end
  if tenant and tenant ~= personTenant then return forbidden('owner', 'moved') end
  if roleMask == '0' then return forbidden('role') end
  if fields.ranges and fields.ranges ~= '' and from ~= '*' and not inside(fields.ranges, from) then return forbidden('ip') end
  if need ~= 0 and bit.band(mask, need) == 0 then return forbidden('permission') end

  local ok, state, states = takeAll(limits, now, cost)
  return answer(ok and 'ok' or 'limit', spoken(ok, state, states))
end

local out = {}
for i, key in ipairs(KEYS) do
  local done, packed, person = pcall(check, key, ARGV[i + 2])
  if not done then packed, person = 'X|' .. tostring(type(packed) == 'table' and packed.err or packed), '' end
  out[2 * i - 1], out[2 * i] = packed, person
end
if #events > 0 then redis.call('XADD', '${usageStream}', 'MAXLEN', '~', '${usageStreamMax}', '*', 'c', table.concat(events, ',')) end
return out`);
