import { callHook } from "../base/hook-error.js";
import { mayListen, mayListenOnSocket } from "../forwarding/forwarding-permissions.js";
import { MAX_PORT } from "../forwarding/open-fields.js";
import type { Request } from "../protocol/messages/requests.js";
import { Writer } from "../protocol/writer.js";
import type { Connection } from "../session/connection.js";
import { allowedBy } from "./hook-answers.js";
import { HOST_KEYS_PROVE, type HostKeyProof } from "./host-keys/host-key-proof.js";
import type { SSHServer } from "./ssh-server.js";

/** Decides about a request that is not about a channel (RFC 4254 §4), by the hooks of a server. */
export async function decideGlobalRequest(
  server: SSHServer,
  connection: Connection,
  hostKeyProof: HostKeyProof | undefined,
  request: Request,
): Promise<boolean | Uint8Array> {
  const { kind, fields } = request;
  const askAboutUnknown = () =>
    callHook("checkGlobalRequest", () => server.checkGlobalRequest(kind, Buffer.from(fields.readRest()), connection));
  switch (kind) {
    case "tcpip-forward": {
      const address = fields.readText();
      const port = fields.readUint32();
      fields.end();
      // A hook is not asked about a number that cannot be a port: it would listen on it.
      if (port > MAX_PORT || !mayListen(connection.permissions, address, port)) return false;
      const bound = await callHook("checkPortForwardRequest", () =>
        server.checkPortForwardRequest(address, port, connection),
      );
      if (typeof bound !== "number" || !Number.isInteger(bound) || bound < 1 || bound > MAX_PORT) return false;
      // The reply carries the port only where the client has left it open (RFC 4254 §7.1).
      return port === 0 ? new Writer(4).writeUint32(bound).toBuffer() : true;
    }
    case "cancel-tcpip-forward": {
      const address = fields.readText();
      const port = fields.readUint32();
      fields.end();
      if (port > MAX_PORT || !mayListen(connection.permissions, address, port)) return false;
      return allowedBy("checkPortForwardCancelRequest", () =>
        server.checkPortForwardCancelRequest(address, port, connection),
      );
    }
    case "keepalive@openssh.com":
    case "no-more-sessions@openssh.com":
      return true;
    case "streamlocal-forward@openssh.com":
    case "cancel-streamlocal-forward@openssh.com":
      if (!mayListenOnSocket(connection.permissions)) return false;
      return askAboutUnknown();
    case HOST_KEYS_PROVE:
      return hostKeyProof?.answer(request) ?? false;
    default:
      return askAboutUnknown();
  }
}
