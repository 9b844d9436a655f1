import { GroupExchangeClient } from "./group-exchange-client.js";
import { GroupExchangeServer } from "./group-exchange-server.js";
import type { KeyExchangeAlgorithm } from "./key-exchange.js";

/** RFC 4419 with SHA-256 (§4.2). */
export const diffieHellmanGroupExchangeSha256: KeyExchangeAlgorithm = {
  name: "diffie-hellman-group-exchange-sha256",
  hash: "sha256",
  startServer: () => new GroupExchangeServer(),
  startClient: () => new GroupExchangeClient(),
};
