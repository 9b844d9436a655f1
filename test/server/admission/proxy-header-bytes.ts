const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");

/** A header of version 2 of the PROXY protocol, with whatever is given in it. */
export function binaryHeader({
  command = 0x21,
  family = 0,
  source = "",
  port,
  rest = Buffer.alloc(0),
}: {
  /** Version and command. */
  readonly command?: number;
  /** Address family and transport. */
  readonly family?: number;
  /** In hexadecimal; the destination is all zeros. */
  readonly source?: string;
  readonly port?: number;
  readonly rest?: Buffer;
}): Buffer {
  const address = Buffer.from(source, "hex");
  const ports = Buffer.alloc(port === undefined ? 0 : 4);
  if (port !== undefined) ports.writeUInt16BE(port);
  const body = Buffer.concat([address, Buffer.alloc(address.length), ports, rest]);
  const start = Buffer.from([command, family, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, start, body]);
}
