import type { ForwardingOptions } from "../../../src/index.js";
import { OPEN_SUCCEEDED } from "../../../src/protocol/constants.js";
import { GuideServer } from "../../support/server.js";

/** Forwards whatever its clients ask for, between this machine's programs, and tells what was asked. */
export class ForwardingServer extends GuideServer {
  /** Each target, as the client has named it. */
  readonly targets: string[] = [];

  constructor(options: ForwardingOptions = {}) {
    super({
      forwarding: {
        local: ({ host, port, path }) => {
          this.targets.push(path ?? `${host}:${port}`);
          return true;
        },
        remote: () => true,
        agent: true,
        ...options,
      },
    });
  }

  override checkChannelRequest(kind: string): number {
    return kind.startsWith("direct-") ? OPEN_SUCCEEDED : super.checkChannelRequest(kind);
  }
}
