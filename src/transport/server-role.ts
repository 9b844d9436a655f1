import { certificateNameOf } from "../crypto/certificates/certificate-names.js";
import { signatureAlgorithms } from "../crypto/keys/signature-algorithms.js";
import type { HostKey } from "../crypto/pkey/host-key.js";
import { DisconnectReason } from "../protocol/constants.js";
import { ProtocolError } from "../protocol/errors.js";
import type { Negotiated } from "./negotiation.js";
import { clientMarkers, type Method, type Role, serverMarkers } from "./role.js";
import { serverPhases } from "./server-phases.js";

/** The server, which signs with one of these keys. */
export function serverRole(hostKeys: readonly HostKey[]): Role {
  return {
    sends: "serverToClient",
    receives: "clientToServer",
    ownMarkers: serverMarkers,
    peerMarkers: clientMarkers,
    phases: serverPhases,
    linesBeforeIdentification: 0,
    hostKeyAlgorithms: (preferences) =>
      preferences.filter((name) => hostKeys.some((key) => key.signatureAlgorithms.includes(name))),
    startMethod: (negotiated) => startMethod(negotiated, hostKeys),
    extensions: ({ publicKey }) =>
      new Map([
        ["server-sig-algs", userSignatureAlgorithms(publicKey).join(",")],
        ["publickey-hostbound@openssh.com", "0"],
        ["ping@openssh.com", "0"],
      ]),
    receiveExtensions() {
      // Extensions of clients change nothing here.
    },
  };
}

function startMethod(negotiated: Negotiated, hostKeys: readonly HostKey[]): Method {
  const hostKey = hostKeys.find((key) => key.signatureAlgorithms.includes(negotiated.hostKey));
  if (hostKey === undefined) throw new ProtocolError("no host key", DisconnectReason.KEY_EXCHANGE_FAILED);
  const { publicBlob } = hostKey;
  const method = negotiated.kex.startServer();
  return {
    opening: undefined,
    receive(payload) {
      const step = method.receive(payload);
      if (step.kind === "continue") return step;
      return {
        ...step,
        hostKeyBlob: publicBlob,
        authenticate: async (hash) => step.reply(publicBlob, await sign(hostKey, hash, negotiated.hostKey)),
      };
    },
  };
}

async function sign(hostKey: HostKey, exchangeHash: Buffer, algorithm: string): Promise<Buffer> {
  try {
    return await hostKey.sign(exchangeHash, algorithm);
  } catch (cause) {
    throw new ProtocolError("the host key could not sign", DisconnectReason.KEY_EXCHANGE_FAILED, { cause });
  }
}

/** The algorithms that users may sign with, which are told without regard to certificates (RFC 8308 §3.1). */
function userSignatureAlgorithms(accepted: readonly string[]): readonly string[] {
  return signatureAlgorithms.filter((name) => accepted.includes(name) || accepted.includes(certificateNameOf(name)));
}
