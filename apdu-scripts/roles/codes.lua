--- title   Whatever a host says that is no approval, the terminal declines
--- clause  EMV Book 3, 10.10
--- role    host
--- profile debit

play [[
  on message purchase
    answer $code
  end
]]

--- case Every code from 01 to 15 but those that approve
local approves = { ["00"] = true, ["08"] = true, ["10"] = true, ["11"] = true }
for number = 1, 15 do
  local code = string.format("%02d", number)
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
