import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { netBlock, networkOf, parseAddress } from "../../src/addresses/address.js";

const hex = (text: string) => parseAddress(text)?.bytes.toString("hex");

describe("parseAddress", () => {
  it.each([
    ["127.0.0.1", "7f000001"],
    ["::", "0".repeat(32)],
    ["::1", `${"0".repeat(31)}1`],
    ["1::", `0001${"0".repeat(28)}`],
    ["2001:db8::8:800:200c:417a", "20010db80000000000080800200c417a"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["64:ff9b::192.0.2.33", "0064ff9b0000000000000000c0000221"],
    ["fe80::1%eth0", `fe80${"0".repeat(27)}1`],
    ["::ffff:192.0.2.1", "c0000201"],
    ["::ffff:c000:201", "c0000201"],
  ])("reads %s", (text, expected) => {
    expect(hex(text)).toBe(expected);
  });

  it.each(["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "::1::", "12345::", "localhost", "[::1]", "1.2.3.4/8"])(
    "refuses %j",
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  it("reads every IPv6 address as its bytes", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const bytes = parseAddress(text)?.bytes;
        expect(bytes?.length).toBe(bytes?.length === 4 ? 4 : 16);
        const url = new URL(`http://[${text}]/`).hostname.slice(1, -1);
        expect(hex(url)).toBe(bytes?.toString("hex"));
      }),
    );
  });
});

describe("netBlock", () => {
  const bits = { ipv4: 24, ipv6: 64 };
  const block = (text: string) => {
    const address = parseAddress(text);
    return address && netBlock(address, bits);
  };

  it("is the same for all addresses of a block, and another one outside it", () => {
    expect(block("192.0.2.1")).toBe(block("::ffff:192.0.2.254"));
    expect(block("192.0.2.1")).not.toBe(block("192.0.3.1"));
    expect(block("2001:db8::1")).toBe(block("2001:db8:0:0:ffff::"));
    expect(block("2001:db8::1")).not.toBe(block("2001:db8:0:1::1"));
  });

  it("tells the families apart and takes too many bits for all", () => {
    const any = { ipv4: 0, ipv6: 0 };
    const [four, six] = [parseAddress("1.2.3.4"), parseAddress("::5")];
    if (four === undefined || six === undefined) throw new Error("unreachable");
    expect(netBlock(four, any)).not.toBe(netBlock(six, any));
    expect(netBlock(four, { ipv4: 64, ipv6: 64 })).toBe("01020304/32");
    expect(networkOf(four, 20).bytes.join(".")).toBe("1.2.0.0");
  });
});
