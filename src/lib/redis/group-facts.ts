/**
 * What scripts learn of a stream without its entries. Each command that tells the
 * last ID, how many entries were ever added, or whether an entry is there (XINFO
 * STREAM, XRANGE) gives the fields of entries too, and Lua takes 0.3 s to read
 * 100,000 of them. Those about groups do not. Invariant: the group is gone when
 * the script ends, and is not made where it could not be destroyed.
 */

/**
 * `groupFacts(stream, name, id)`: `newest` is the last ID that the stream gave; `ever` how many entries it ever had, nil
 * where Redis does not say (before 7.0, or the last entry was deleted); `claimed` has `id` if that entry is there, and is
 * empty if not. Nil where the user may not do this, or there is no stream. `name` is that of no group.
 */
export const GROUP_FACTS = `
-- Whoever may not ask cannot know.
local function ask(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then return nil end
  return reply
end
local function pairsOf(flat)
  local facts = {}
  for i = 1, #flat, 2 do facts[flat[i]] = flat[i + 1] end
  return facts
end
local function groupFacts(stream, name, id)
  if not ask('XGROUP', 'DESTROY', stream, name) then return nil end
  if not ask('XGROUP', 'CREATE', stream, name, '$', 'ENTRIESREAD', 0) and not ask('XGROUP', 'CREATE', stream, name, '$') then
    return nil
  end
  local facts = {}
  for _, flat in ipairs(ask('XINFO', 'GROUPS', stream) or {}) do
    local group = pairsOf(flat)
    -- A group that has read nothing lags by all that was ever added. 0 is also said where the last entry was deleted.
    if group.name == name then
      facts.newest = group['last-delivered-id']
      if group['entries-read'] == 0 and (group.lag or 0) > 0 then facts.ever = group.lag end
    end
  end
  if id then facts.claimed = ask('XCLAIM', stream, name, name, 0, id, 'FORCE', 'JUSTID') end
  redis.call('XGROUP', 'DESTROY', stream, name)
  return facts
end`;
