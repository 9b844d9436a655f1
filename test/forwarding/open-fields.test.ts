import { describe, expect, it } from "vitest";
import { encodeForwardedStreamlocal, encodeForwardedTcpip } from "../../src/forwarding/open-fields.js";

describe("the fields of a channel towards the client", () => {
  it("are for a port those of RFC 4254 §7.2", () => {
    const fields = encodeForwardedTcpip({
      address: "localhost",
      port: 8080,
      originatorAddress: "::1",
      originatorPort: 65_535,
    });
    expect(fields.toString("latin1")).toBe("\0\0\0\x09localhost\0\0\x1f\x90\0\0\0\x03::1\0\0\xff\xff");
  });

  it("are for a socket those of OpenSSH PROTOCOL §2.4", () => {
    const encoded = "\0\0\0\x04/run\0\0\0\0";
    expect(encodeForwardedStreamlocal({ socketPath: "/run" }).toString("latin1")).toBe(encoded);
    expect(encodeForwardedStreamlocal({ socketPath: Buffer.from("/\xff", "latin1") }).toString("latin1")).toBe(
      "\0\0\0\x02/\xff\0\0\0\0",
    );
  });
});
