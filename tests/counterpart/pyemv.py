"""Answers what pyemv computes: JSON lines in, JSON lines out, in order.

Every value is hexadecimal but the PAN, its sequence number and the PINs, which
are digits. Run by tests/data.rs (counterpart::pyemv).
"""

import json
import sys

from pyemv import ac, cvn, kd, sm

ELEMENTS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37", "82", "9F36")


def answer(case):
    def raw(name):
        return bytes.fromhex(case[name])

    masters = (raw("master_ac"), raw("master_mac"), raw("master_enc"))
    pan, psn = case["pan"], case["psn"]
    elements = {"tag_" + tag.lower(): raw(tag) for tag in ELEMENTS}
    atc, iad, arc, csu, proprietary = raw("9F36"), raw("9F10"), raw("arc"), raw("csu"), raw("proprietary")
    header, data = raw("header"), raw("data")
    out = {}

    # VIS CVN 10: no session key for cryptograms, ARPC method 1.
    card = cvn.VisaCVN10(*masters, pan, psn)
    arqc = card.generate_ac(cvr=iad[3:7], **elements)
    out["vis_10_arqc"] = arqc
    out["vis_10_arpc"] = card.generate_arpc(tag_9f26=arqc, arpc_rc=arc)
    out["vis_10_script_mac"] = card.generate_command_mac(header, arqc, atc, data)
    out["vis_10_pin"] = card.generate_pin_change_command(case["pin"], arqc, atc)
    out["vis_10_pin_current"] = card.generate_pin_change_command(case["pin"], arqc, atc, case["current_pin"])

    # VIS CVN 18 and 22: common session key, ARPC method 2.
    for name, make in (("vis_18", cvn.VisaCVN18), ("vis_22", cvn.VisaCVN22)):
        card = make(*masters, pan, psn)
        arqc = card.generate_ac(tag_9f10=iad, **elements)
        out[name + "_arqc"] = arqc
        out[name + "_arpc"] = card.generate_arpc(arqc, atc, csu, proprietary)
        out[name + "_script_mac"] = card.generate_command_mac(header, arqc, atc, data)

    # EMV common session keys from pyemv's parts, with both ARPC methods.
    card_ac, card_mac = (kd.derive_icc_mk_b(key, pan, psn) for key in masters[:2])
    session = kd.derive_common_sk(card_ac, atc + bytes(6))
    arqc = ac.generate_ac(session, b"".join(elements.values()) + iad, ac.PaddingType.EMV)
    out["emv_arqc"] = arqc
    out["emv_arpc_1"] = ac.generate_arpc_1(session, arqc, arc)
    out["emv_arpc_2"] = ac.generate_arpc_2(session, arqc, csu, proprietary)
    script = kd.derive_common_sk(card_mac, arqc)
    out["emv_script_mac"] = sm.generate_command_mac(script, header + atc + arqc + data)

    # PBOC: pyemv has no such session key, so it is given; the MACs are pyemv's.
    session, script = raw("pboc_session_ac"), raw("pboc_session_mac")
    arqc = ac.generate_ac(session, b"".join(elements.values()) + iad[3:7])
    out["pboc_01_arqc"] = arqc
    out["pboc_17_arqc"] = ac.generate_ac(session, raw("9F02") + raw("9F37") + atc + iad[4:5])
    out["pboc_arpc"] = ac.generate_arpc_1(session, arqc, arc)
    out["pboc_script_mac"] = sm.generate_command_mac(script, header + atc + arqc + data, 4)
    return {name: value.hex().upper() for name, value in out.items()}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))))
