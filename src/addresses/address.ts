import { isIPv4, isIPv6 } from "node:net";

/** An IP address. An IPv4 address mapped into IPv6 (RFC 4291 §2.5.5.2) is the IPv4 address. */
export interface Address {
  /** Never `ipv6` for an IPv4 address mapped into IPv6. */
  readonly family: "ipv4" | "ipv6";
  /** 4 or 16 bytes, in network order. */
  readonly bytes: Buffer;
}

const MAPPED_PREFIX = Buffer.from("00000000000000000000ffff", "hex");

/** The text that was read last, and its address: of one client several things are asked, one after the other. */
let last: { readonly text: string; readonly address: Address | undefined } = { text: "", address: undefined };

/** Reads the text of an address; a zone (`%eth0`) is left out. `undefined` if it is not an address. */
export function parseAddress(text: string): Address | undefined {
  if (text !== last.text) last = { text, address: read(text) };
  return last.address;
}

function read(text: string): Address | undefined {
  if (isIPv4(text)) return { family: "ipv4", bytes: Buffer.from(text.split(".").map(Number)) };
  if (!isIPv6(text)) return undefined;
  const bytes = parseIPv6(text.replace(/%.*$/s, ""));
  if (bytes.subarray(0, MAPPED_PREFIX.length).equals(MAPPED_PREFIX)) {
    return { family: "ipv4", bytes: bytes.subarray(MAPPED_PREFIX.length) };
  }
  return { family: "ipv6", bytes };
}

/** The one text of an address, however it was written. */
export function addressText({ family, bytes }: Address): string {
  return family === "ipv4" ? bytes.join(".") : textOfIPv6(bytes);
}

/** An IPv6 address of 16 bytes as RFC 5952 writes it. */
export function textOfIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** Bits of an address of this family. */
export function addressBits(family: Address["family"]): number {
  return family === "ipv4" ? 32 : 128;
}

/** The address without what follows its first `bits` bits. */
export function networkOf({ family, bytes }: Address, bits: number): Address {
  const network = Buffer.from(bytes);
  for (let index = bits >> 3; index < network.length; index++) {
    network[index] = (network[index] ?? 0) & maskByte(bits - 8 * index);
  }
  return { family, bytes: network };
}

/**
 * Names the block of `bits` bits that an address lies in: one text for all of its addresses, and for no others.
 *
 * @param bits for each family; more than an address has means all
 */
export function netBlock(address: Address, bits: { readonly ipv4: number; readonly ipv6: number }): string {
  const size = Math.min(bits[address.family], addressBits(address.family));
  return `${networkOf(address, size).bytes.toString("hex")}/${size}`;
}

/** @param text which `isIPv6` accepts, without a zone */
function parseIPv6(text: string): Buffer {
  const [head = "", tail = ""] = text.split("::");
  const back = groups(tail);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of groups(head).entries()) bytes.writeUInt16BE(group, 2 * index);
  for (const [index, group] of back.entries()) bytes.writeUInt16BE(group, 2 * (8 - back.length + index));
  return bytes;
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function maskByte(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
}
