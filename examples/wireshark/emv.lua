-- EMV data objects in Wireshark, for captures that `cardwright trace pcap` makes:
--
--   cardwright trace pcap pay.cwt -o pay.pcapng
--   tshark -X lua_script:emv.lua -r pay.pcapng -Y 'emv.tag == 0x9f79' -T fields -e emv.value
--   wireshark -X lua_script:emv.lua pay.pcapng
--
-- Each packet is a direction byte (0 to the card, 1 from it) and an APDU, link type USER0.
-- Wireshark's own dissector of ISO/IEC 7816 shows the APDU; this one the data objects in it
-- (BER-TLV: ISO/IEC 7816-4 5.2.2). Names are those of EMV Book 3 annex A, Book C-2 and PBOC.

local emv = Proto("emv", "EMV card transaction")

local direction = ProtoField.uint8("emv.direction", "Direction", base.DEC, { [0] = "to the card", [1] = "from the card" })
local tag_field = ProtoField.uint32("emv.tag", "Tag", base.HEX)
local name_field = ProtoField.string("emv.name", "Name")
local value_field = ProtoField.bytes("emv.value", "Value")
local status_field = ProtoField.uint16("emv.status", "Status word", base.HEX)
emv.fields = { direction, tag_field, name_field, value_field, status_field }

local names = {
  [0x42] = "Issuer Identification Number (IIN)",
  [0x4F] = "Application Identifier (AID) - card",
  [0x50] = "Application Label",
  [0x56] = "Track 1 Data",
  [0x57] = "Track 2 Equivalent Data",
  [0x5A] = "Application Primary Account Number (PAN)",
  [0x61] = "Application Template",
  [0x6F] = "File Control Information (FCI) Template",
  [0x70] = "READ RECORD Response Message Template",
  [0x71] = "Issuer Script Template 1",
  [0x72] = "Issuer Script Template 2",
  [0x73] = "Directory Discretionary Template",
  [0x77] = "Response Message Template Format 2",
  [0x80] = "Response Message Template Format 1",
  [0x81] = "Amount, Authorised (Binary)",
  [0x82] = "Application Interchange Profile",
  [0x83] = "Command Template",
  [0x84] = "Dedicated File (DF) Name",
  [0x86] = "Issuer Script Command",
  [0x87] = "Application Priority Indicator",
  [0x88] = "Short File Identifier (SFI)",
  [0x89] = "Authorisation Code",
  [0x8A] = "Authorisation Response Code",
  [0x8C] = "Card Risk Management Data Object List 1 (CDOL1)",
  [0x8D] = "Card Risk Management Data Object List 2 (CDOL2)",
  [0x8E] = "Cardholder Verification Method (CVM) List",
  [0x8F] = "Certification Authority Public Key Index - card",
  [0x90] = "Issuer Public Key Certificate",
  [0x91] = "Issuer Authentication Data",
  [0x92] = "Issuer Public Key Remainder",
  [0x93] = "Signed Static Application Data",
  [0x94] = "Application File Locator (AFL)",
  [0x95] = "Terminal Verification Results",
  [0x97] = "Transaction Certificate Data Object List (TDOL)",
  [0x98] = "Transaction Certificate (TC) Hash Value",
  [0x99] = "Transaction PIN Data",
  [0x9A] = "Transaction Date",
  [0x9B] = "Transaction Status Information",
  [0x9C] = "Transaction Type",
  [0x9D] = "Directory Definition File (DDF) Name",
  [0xA5] = "File Control Information (FCI) Proprietary Template",
  [0xC3] = "Card Issuer Action Code - Decline (contact)",
  [0xC4] = "Card Issuer Action Code - Default (contact)",
  [0xC5] = "Card Issuer Action Code - Online (contact)",
  [0xC8] = "CRM Country Code",
  [0xC9] = "CRM Currency Code",
  [0xCA] = "Lower Cumulative Offline Transaction Amount",
  [0xCB] = "Upper Cumulative Offline Transaction Amount",
  [0xCD] = "Card Issuer Action Code - Default (contactless)",
  [0xCE] = "Card Issuer Action Code - Online (contactless)",
  [0xCF] = "Card Issuer Action Code - Decline (contactless)",
  [0xD5] = "Application Control (contact)",
  [0xD7] = "Application Control (contactless)",
  [0x5F20] = "Cardholder Name",
  [0x5F24] = "Application Expiration Date",
  [0x5F25] = "Application Effective Date",
  [0x5F28] = "Issuer Country Code",
  [0x5F2A] = "Transaction Currency Code",
  [0x5F2D] = "Language Preference",
  [0x5F30] = "Service Code",
  [0x5F34] = "Application PAN Sequence Number",
  [0x5F36] = "Transaction Currency Exponent",
  [0x5F50] = "Issuer URL",
  [0x5F53] = "International Bank Account Number (IBAN)",
  [0x5F54] = "Bank Identifier Code (BIC)",
  [0x5F55] = "Issuer Country Code (alpha2 format)",
  [0x5F56] = "Issuer Country Code (alpha3 format)",
  [0x5F57] = "Account Type",
  [0x9F01] = "Acquirer Identifier",
  [0x9F02] = "Amount, Authorised (Numeric)",
  [0x9F03] = "Amount, Other (Numeric)",
  [0x9F04] = "Amount, Other (Binary)",
  [0x9F05] = "Application Discretionary Data",
  [0x9F06] = "Application Identifier (AID) - terminal",
  [0x9F07] = "Application Usage Control",
  [0x9F08] = "Application Version Number - card",
  [0x9F09] = "Application Version Number - terminal",
  [0x9F0A] = "Application Selection Registered Proprietary Data",
  [0x9F0B] = "Cardholder Name Extended",
  [0x9F0C] = "Issuer Identification Number Extended (IINE)",
  [0x9F0D] = "Issuer Action Code - Default",
  [0x9F0E] = "Issuer Action Code - Denial",
  [0x9F0F] = "Issuer Action Code - Online",
  [0x9F10] = "Issuer Application Data",
  [0x9F11] = "Issuer Code Table Index",
  [0x9F12] = "Application Preferred Name",
  [0x9F13] = "Last Online Application Transaction Counter (ATC) Register",
  [0x9F14] = "Lower Consecutive Offline Limit",
  [0x9F15] = "Merchant Category Code",
  [0x9F16] = "Merchant Identifier",
  [0x9F17] = "Personal Identification Number (PIN) Try Counter",
  [0x9F18] = "Issuer Script Identifier",
  [0x9F19] = "Token Requestor ID",
  [0x9F1A] = "Terminal Country Code",
  [0x9F1B] = "Terminal Floor Limit",
  [0x9F1C] = "Terminal Identification",
  [0x9F1D] = "Terminal Risk Management Data",
  [0x9F1E] = "Interface Device (IFD) Serial Number",
  [0x9F1F] = "Track 1 Discretionary Data",
  [0x9F20] = "Track 2 Discretionary Data",
  [0x9F21] = "Transaction Time",
  [0x9F22] = "Certification Authority Public Key Index - terminal",
  [0x9F23] = "Upper Consecutive Offline Limit",
  [0x9F24] = "Payment Account Reference (PAR)",
  [0x9F25] = "Last 4 Digits of PAN",
  [0x9F26] = "Application Cryptogram",
  [0x9F27] = "Cryptogram Information Data",
  [0x9F29] = "Extended Selection",
  [0x9F2A] = "Kernel Identifier",
  [0x9F2D] = "ICC PIN Encipherment Public Key Certificate",
  [0x9F2E] = "ICC PIN Encipherment Public Key Exponent",
  [0x9F2F] = "ICC PIN Encipherment Public Key Remainder",
  [0x9F32] = "Issuer Public Key Exponent",
  [0x9F33] = "Terminal Capabilities",
  [0x9F34] = "Cardholder Verification Method (CVM) Results",
  [0x9F35] = "Terminal Type",
  [0x9F36] = "Application Transaction Counter (ATC)",
  [0x9F37] = "Unpredictable Number",
  [0x9F38] = "Processing Options Data Object List (PDOL)",
  [0x9F39] = "Point-of-Service (POS) Entry Mode",
  [0x9F3A] = "Amount, Reference Currency",
  [0x9F3B] = "Application Reference Currency",
  [0x9F3C] = "Transaction Reference Currency Code",
  [0x9F3D] = "Transaction Reference Currency Exponent",
  [0x9F40] = "Additional Terminal Capabilities",
  [0x9F41] = "Transaction Sequence Counter",
  [0x9F42] = "Application Currency Code",
  [0x9F43] = "Application Reference Currency Exponent",
  [0x9F44] = "Application Currency Exponent",
  [0x9F45] = "Data Authentication Code",
  [0x9F46] = "ICC Public Key Certificate",
  [0x9F47] = "ICC Public Key Exponent",
  [0x9F48] = "ICC Public Key Remainder",
  [0x9F49] = "Dynamic Data Authentication Data Object List (DDOL)",
  [0x9F4A] = "Static Data Authentication Tag List",
  [0x9F4B] = "Signed Dynamic Application Data",
  [0x9F4C] = "ICC Dynamic Number",
  [0x9F4D] = "Log Entry",
  [0x9F4E] = "Merchant Name and Location",
  [0x9F4F] = "Log Format",
  [0x9F50] = "Offline Accumulator Balance",
  [0x9F51] = "Application Currency Code (electronic cash)",
  [0x9F52] = "Application Default Action",
  [0x9F53] = "Consecutive Transaction Limit (International)",
  [0x9F54] = "Cumulative Total Transaction Amount Limit",
  [0x9F56] = "Issuer Authentication Indicator",
  [0x9F57] = "Issuer Country Code",
  [0x9F58] = "Lower Consecutive Offline Limit",
  [0x9F59] = "Upper Consecutive Offline Limit",
  [0x9F5C] = "Cumulative Total Transaction Amount Upper Limit",
  [0x9F5D] = "Available Offline Spending Amount",
  [0x9F61] = "Cardholder Identification Number",
  [0x9F62] = "Cardholder Identification Type",
  [0x9F63] = "Product Identification",
  [0x9F66] = "Terminal Transaction Qualifiers",
  [0x9F68] = "Card Additional Processing",
  [0x9F69] = "Card Authentication Related Data",
  [0x9F6B] = "Card CVM Limit",
  [0x9F6C] = "Card Transaction Qualifiers",
  [0x9F6D] = "Electronic Cash Reset Threshold",
  [0x9F6E] = "Form Factor Indicator",
  [0x9F72] = "Consecutive Transaction Limit (International - Country)",
  [0x9F73] = "Currency Conversion Factor",
  [0x9F74] = "Electronic Cash Issuer Authorisation Code",
  [0x9F75] = "Cumulative Total Transaction Amount Limit (Dual Currency)",
  [0x9F76] = "Secondary Application Currency Code",
  [0x9F77] = "Electronic Cash Balance Limit",
  [0x9F78] = "Electronic Cash Single Transaction Limit",
  [0x9F79] = "Electronic Cash Balance",
  [0x9F7A] = "Electronic Cash Terminal Support Indicator",
  [0x9F7B] = "Electronic Cash Terminal Transaction Limit",
  [0x9F7E] = "Mobile Support Indicator",
  [0xBF0C] = "File Control Information (FCI) Issuer Discretionary Data",
  [0xDF31] = "Issuer Script Results",
  [0xDF32] = "Chip Serial Number",
  [0xDF33] = "Session Key Data",
  [0xDF4D] = "Load Log Entry",
  [0xDF4F] = "Load Log Format",
  [0xDF60] = "CAPP Transaction Indicator",
  [0xDF61] = "Extended Application Capability",
  [0xDF62] = "Segment Billing Offset Limit",
  [0xDF63] = "Segment Billing Offset Used",
  [0xDF69] = "SM Algorithm Support Indicator",
  [0xDF71] = "Second Currency: Application Currency Code",
  [0xDF72] = "Second Currency: Card CVM Limit",
  [0xDF76] = "Second Currency: Reset Threshold",
  [0xDF77] = "Second Currency: Balance Limit",
  [0xDF78] = "Second Currency: Single Transaction Limit",
  [0xDF79] = "Second Currency: Balance",
  [0xDF8104] = "Balance Read Before Gen AC",
  [0xDF8105] = "Balance Read After Gen AC",
  [0xDF8118] = "CVM Capability - CVM Required",
  [0xDF8119] = "CVM Capability - No CVM Required",
  [0xDF811B] = "Kernel Configuration",
  [0xDF811C] = "Max Lifetime of Torn Transaction Log Record",
  [0xDF811D] = "Max Number of Torn Transaction Log Records",
  [0xDF811F] = "Security Capability",
  [0xDF8123] = "Reader Contactless Floor Limit",
  [0xDF8124] = "Reader Contactless Transaction Limit (No On-device CVM)",
  [0xDF8125] = "Reader Contactless Transaction Limit (On-device CVM)",
  [0xDF8126] = "Reader CVM Required Limit",
  [0xDF8132] = "Minimum Relay Resistance Grace Period",
  [0xDF8133] = "Maximum Relay Resistance Grace Period",
  [0xDF8134] = "Terminal Expected Transmission Time For Relay Resistance C-APDU",
  [0xDF8135] = "Terminal Expected Transmission Time For Relay Resistance R-APDU",
  [0xDF8136] = "Relay Resistance Accuracy Threshold",
  [0xDF8137] = "Relay Resistance Transmission Time Mismatch Threshold",
  [0xDF8301] = "Terminal Relay Resistance Entropy",
  [0xDF8302] = "Device Relay Resistance Entropy",
  [0xDF8303] = "Min Time For Processing Relay Resistance APDU",
  [0xDF8304] = "Max Time For Processing Relay Resistance APDU",
  [0xDF8305] = "Device Estimated Transmission Time For Relay Resistance R-APDU",
  [0xDF8306] = "Measured Relay Resistance Processing Time",
  [0xDF8307] = "RRP Counter",
}

local DEEPEST = 8
local GET_PROCESSING_OPTIONS = 0xA8

-- The tag that begins at `at`, and the place behind it; nil where there is none.
local function read_tag(data, at)
  if at >= data:len() then return nil end
  local first = data(at, 1):uint()
  local tag, next_at = first, at + 1
  if first % 32 == 31 then
    repeat
      if next_at >= data:len() or next_at - at >= 4 then return nil end
      local byte = data(next_at, 1):uint()
      tag, next_at = tag * 256 + byte, next_at + 1
    until byte < 128
  end
  return tag, next_at, math.floor(first / 32) % 2 == 1
end

-- The length that stands at `at`, and the place behind it; nil where there is none.
local function read_length(data, at)
  if at >= data:len() then return nil end
  local length, next_at = data(at, 1):uint(), at + 1
  if length < 128 then return length, next_at end
  local count = length - 128
  if count < 1 or count > 2 or next_at + count > data:len() then return nil end
  return data(next_at, count):uint(), next_at + count
end

-- The data objects in these bytes as a list; nil where they are none.
local function read_objects(data, depth)
  local objects, at = {}, 0
  while at < data:len() do
    local byte = data(at, 1):uint()
    if byte == 0x00 then
      at = at + 1 -- padding between objects
    else
      local tag, behind_tag, is_constructed = read_tag(data, at)
      if not tag then return nil end
      local length, begin = read_length(data, behind_tag)
      if not length or begin + length > data:len() then return nil end
      local object = { tag = tag, at = at, begin = begin, length = length }
      if is_constructed and length > 0 then
        if depth >= DEEPEST then return nil end
        object.inside = read_objects(data(begin, length):tvb(), depth + 1)
        if not object.inside then return nil end
      end
      objects[#objects + 1] = object
      at = begin + length
    end
  end
  return objects
end

local function show(data, objects, tree)
  for _, object in ipairs(objects) do
    local whole = data(object.at, object.begin + object.length - object.at)
    local name = names[object.tag] or "data object without a name"
    local title = string.format("%X %s", object.tag, name)
    local branch = tree:add(emv, whole, title)
    branch:add(tag_field, data(object.at, object.begin - object.at), object.tag)
    branch:add(name_field, data(object.at, object.begin - object.at), name)
    if object.length > 0 then
      local value = data(object.begin, object.length)
      if object.inside then
        show(value:tvb(), object.inside, branch)
      else
        branch:add(value_field, value)
        branch:set_text(title .. ": " .. tostring(value:bytes()))
      end
    end
  end
end

function emv.dissector(buffer, pinfo, root)
  if buffer:len() < 2 then return 0 end
  local side = buffer(0, 1):uint()
  local apdu = buffer(1):tvb()
  -- ISO/IEC 7816 pairs commands and answers by it.
  pinfo.p2p_dir = side
  pcall(function() Dissector.get("iso7816"):call(apdu, pinfo, root) end)
  local tree = root:add(emv, buffer(), "EMV")
  tree:add(direction, buffer(0, 1))
  local data
  if side == 1 then
    if apdu:len() < 2 then return buffer:len() end
    tree:add(status_field, apdu(apdu:len() - 2, 2))
    if apdu:len() > 2 then data = apdu(0, apdu:len() - 2):tvb() end
  elseif apdu:len() > 5 and apdu(1, 1):uint() == GET_PROCESSING_OPTIONS then
    local length = apdu(4, 1):uint()
    if apdu:len() >= 5 + length then data = apdu(5, length):tvb() end
  end
  local objects = data and read_objects(data, 0)
  if objects then show(data, objects, tree) end
  pinfo.cols.protocol = "EMV"
  return buffer:len()
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, emv)
