-- What a script finds beside Lua's own. `host` asks the process that plays the case; `names`
-- are the functions of the language; the same seed gives the same random numbers.
local host, names, seed, functions = ...

-- What reaches out.
for _, name in ipairs { "load", "loadfile", "dofile", "require", "collectgarbage", "warn", "package" } do
  _G[name] = nil
end
string.dump = nil

-- What differs from run to run: seeds, addresses, and the order of tables.
math.randomseed(seed)
math.randomseed = nil

local raw_next, raw_tostring, raw_format = next, tostring, string.format
local has_address = { table = true, ["function"] = true, thread = true, userdata = true }

function tostring(...)
  local value = ...
  if not has_address[type(value)] then return raw_tostring(...) end
  local meta = getmetatable(value)
  if type(meta) == "table" and rawget(meta, "__tostring") then return raw_tostring(value) end
  return type(value)
end

function string.format(form, ...)
  if type(form) == "string" and form:gsub("%%%%", ""):find("%%[^%a]*p") then
    error("%p shows an address, which differs from run to run", 2)
  end
  local values = table.pack(...)
  for i = 1, values.n do
    if has_address[type(values[i])] then values[i] = tostring(values[i]) end
  end
  return raw_format(form, table.unpack(values, 1, values.n))
end

local rank = { number = 1, string = 2, boolean = 3 }

local function before(a, b)
  local left, right = rank[type(a)] or 4, rank[type(b)] or 4
  if left ~= right then return left < right end
  if left <= 2 then return a < b end
  return left == 3 and a == false and b == true
end

-- Numbers first, then texts, each in their order.
function pairs(list)
  local meta = getmetatable(list)
  if type(meta) == "table" and rawget(meta, "__pairs") then
    local step, state, first = meta.__pairs(list)
    return step, state, first
  end
  local keys, count, at = {}, 0, 0
  for key in raw_next, list do
    count = count + 1
    keys[count] = key
  end
  table.sort(keys, before)
  return function()
    while at < count do
      at = at + 1
      local value = list[keys[at]]
      if value ~= nil then return keys[at], value end
    end
  end, list, nil
end

-- Whether a table is empty, and no more: `pairs` goes through it.
function next(list, key)
  if key ~= nil then error("next takes a table alone here: pairs goes through it", 2) end
  return (pairs(list))()
end

-- What a script says.
function print(...)
  local values = table.pack(...)
  for i = 1, values.n do values[i] = tostring(values[i]) end
  host.note(table.concat(values, " "))
end

-- The functions of the language.
for _, name in ipairs(names) do
  _G[name] = function(...) return host.call(name, ...) end
end

-- Characters, whatever they look like.
function text(characters) return { text = tostring(characters) } end

-- An amount of minor units as it is written.
function amount(minor)
  local sign = minor < 0 and "-" or ""
  minor = math.abs(math.tointeger(minor) or error("expected minor units, a whole number", 2))
  return raw_format("%s%d.%02d", sign, minor // 100, minor % 100)
end

local Answer = {}
Answer.__index = Answer

function Answer:get(what) return host.look(self.number, what) end
function Answer:is(what) return host.fits(self.number, what) end

function send(command, arguments, status)
  if arguments ~= nil and type(arguments) ~= "table" then arguments = { arguments } end
  local number, word, data, time = host.send(command, arguments, status)
  return setmetatable({ number = number, status = word, data = data, time = time }, Answer)
end

-- What is run whenever something comes: it gives lines of a block `on`, or nothing.
function on(what, answers)
  if type(answers) ~= "function" then error("expected a function that gives lines", 2) end
  functions[#functions + 1] = function()
    local lines = answers()
    return type(lines) == "table" and table.concat(lines, "\n") or lines
  end
  host.on(what, #functions)
end

function play(lines) host.play(lines) end
function get(what) return host.look(nil, what) end
function is(what) return host.fits(nil, what) end
function skip(reason) host.skip(reason) end
function reset() host.play("reset") end

-- A line of a text script, or anything that is true or false.
function expect(what, message)
  if type(what) == "string" then return host.play("expect " .. what) end
  host.check(what and true or false, message)
end

function fail(message) host.check(false, message) end
function equal(found, wanted, message) host.equal(found, wanted, message) end

-- The variables of the case, those of its table among them.
vars = setmetatable({}, {
  __index = function(_, name) return host.get(name) end,
  __newindex = function(_, name, value) host.put(name, value) end,
})
