import { defineScript } from "@/lib/platform/records";
import { usageStream, usageStreamMax } from "@/lib/usage";
import { readTime } from "./limit";
import { limiterLua } from "./limiter.lua";

/**
 * The check of a batch of calls in one round trip. Per item KEYS has the record to start from and ARGV (from the third)
 * `<kind>|<needed permission's bit or 0>|<permissions at most>|<cost>|<token family or empty>|<limit's name of the address or empty>`;
 * ARGV[1] is the run_id of this Redis, ARGV[2] the limit of failed authentications, `requests|seconds`.
 *
 * Kinds: `k` starts from a key's record, `u` from a person's. Keys that stand in records (person, tenant, limits) are
 * built in here, which one primary allows.
 *
 * Answers two strings per item: `M` (something must be loaded from PostgreSQL), `X|<error>` (this item alone failed) or
 * `R|code|now|key|user|permissions|requests|seconds|label|limit|window|remaining|reset|wait`; then the person as JSON.
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

local function reply(code, fields, state)
  local s = state or {}
  return table.concat({ 'R', code, now, fields.key or '', fields.user or '', fields.mask or 0, fields.requests or 0, fields.seconds or 0,
    s.label or '', s.limit or 0, s.window and s.window / 1000 or 0, s.remaining or 0, string.format('%.0f', s.reset or 0), string.format('%.0f', s.wait or 0) }, '|'), fields.person or ''
end

-- A refusal that says nothing good about the caller counts against the address; past its limit that is the answer.
local function failed(code, fields, address)
  if address ~= '' then
    local ok, state = takeAll({ { 'address', address, failRequests, failSeconds } }, now, 1)
    if not ok then return reply('address', fields, state) end
  end
  return reply(code, fields)
end

local function check(key, arg)
  local kind, need, most, cost, family, address = string.match(arg, '^(%a)|(%d+)|(%d+)|(%d)|([^|]*)|(.*)$')
  need, most, cost = tonumber(need), tonumber(most), tonumber(cost)
  local first = record(key)
  if not first then
    -- Whoever guesses keys must not make the database work for every guess.
    if address ~= '' then
      local ok, state = takeAll({ { 'address', address, failRequests, failSeconds } }, now, 0)
      if not ok then return reply('address', {}, state) end
    end
    return 'M', ''
  end
  if first == '-' then return failed('unknown', {}, address) end

  local fields, limits = {}, {}
  local tenant, keyState, expires, personKey
  local mask = most
  if kind == 'k' then
    local id, keyTenant, user, stateLetter, ends, permissions, requests, seconds = string.match(first, '^([^|]+)|([^|]+)|([^|]+)|(%a)|(%d+)|(%d+)|(%d+)|(%d+)$')
    if not id then return 'M', '' end
    fields = { key = id, user = user, requests = tonumber(requests), seconds = tonumber(seconds) }
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

  local function answer(code, state)
    if fields.key and cost > 0 then events[#events + 1] = fields.key .. ':' .. code end
    return reply(code, fields, state)
  end
  local function unauthenticated(code)
    if fields.key and cost > 0 then events[#events + 1] = fields.key .. ':' .. code end
    return failed(code, fields, address)
  end
  -- Without a key the headers are about the person, however little the tenant has left.
  local function spoken(ok, state, states)
    if ok and kind == 'u' then return states[1] end
    return state
  end
  -- Refused before the limits: nothing is taken, but the caller still hears how they stand.
  local function forbidden(code)
    return answer(code, spoken(takeAll(limits, now, 0)))
  end

  if family ~= '' then
    local familyState = record('sl:f:' .. family)
    if not familyState then return 'M', '' end
    if familyState ~= '1' then return unauthenticated('family') end
  end
  if keyState == 'r' then return unauthenticated('revoked') end
  if expires and expires > 0 and expires <= now then return unauthenticated('expired') end
  if keyState == 'd' then return unauthenticated('disabled') end
  if enabled ~= '1' or tenantEnabled ~= '1' or (tenant and tenant ~= personTenant) then return forbidden('owner') end
  if roleMask == '0' then return forbidden('role') end
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
