--- title   Whatever a host says that is no approval, the terminal declines
--- clause  EMV Book 3, 10.10
--- role    host
--- profile debit

--- case Every code from 01 to 15 but those that approve
local approves = { ["00"] = true, ["08"] = true, ["10"] = true, ["11"] = true }
local code
on("message purchase", function() return 'answer "' .. code .. '"' end)
for number = 1, 15 do
  code = string.format("%02d", number)
  if not approves[code] then
    vars.code = text(code)
    play [[
      terminal pay 12.50 online
      expect outcome declined
      expect sent message purchase
      expect field 39 = $code
    ]]
  end
end

--- case A host that approves every second time
--- role card and host
local asked, wanted = 0, nil
on("message purchase", function()
  asked = asked + 1
  wanted = get "field 4"
  if asked % 2 == 1 then return 'answer "05"' end
end)
on("second GENERATE AC", function() return 'expect 8A = "' .. (asked % 2 == 1 and "05" or "00") .. '"' end)
for turn = 1, 4 do
  play("terminal pay 1.00 online")
  expect(is "outcome approved" == (turn % 2 == 0), "payment " .. turn .. " ends as its host says")
  equal(wanted, 100, "what the host was asked for")
end
equal(asked, 4, "how often the host was asked")
