import type { ForwardingLog } from "../forwarding/forwarding-log.js";
import type { ClientForwarding } from "../forwarding/server-forwarding.js";
import type { Connection } from "../session/connection.js";
import type { SessionHooks } from "../session/session-requests.js";
import type { HostKeyProof } from "./host-keys/host-key-proof.js";
import type { RefusedRequests } from "./refused-requests.js";
import type { SSHServer } from "./ssh-server.js";

/** The connection whose channels a server decides about. */
export interface ChannelContext {
  readonly server: SSHServer;
  readonly connection: Connection;
  readonly sessionHooks: SessionHooks;
  readonly forwarding: ClientForwarding;
  readonly log: ForwardingLog;
  readonly refusedRequests: RefusedRequests;
  readonly hostKeyProof?: HostKeyProof | undefined;
}
