import { expect } from "vitest";
import { type AuthDecision, Grant, type GrantOptions } from "../../src/auth/grant.js";
import { PKey } from "../../src/crypto/pkey/pkey.js";
import type { Channel } from "../../src/index.js";
import { OPEN_SUCCEEDED } from "../../src/protocol/constants.js";
import { type CraftedCertificate, craftCertificate } from "../support/crafted-certificate.js";
import type { PacketClient } from "../support/packet-client.js";
import {
  type PublickeyRequest,
  publickeyProof,
  publickeySignedData,
  readUserauthFailure,
} from "../support/packet-messages.js";
import { Attacked, type HookCall, TargetServer, USERNAME } from "./attacked-server.js";

export const ALGORITHM = "ssh-ed25519-cert-v01@openssh.com";
export const authority = PKey.generate({ keyType: "ed25519" });
export const stranger = PKey.generate({ keyType: "ed25519" });
export const key = PKey.generate({ keyType: "ed25519" });

export const craft = (change: Partial<CraftedCertificate> = {}) => craftCertificate({ key, authority, ...change });
export const EXTENSIONS = ["X11-forwarding", "agent-forwarding", "port-forwarding", "pty", "user-rc"].map(
  (name) => [`permit-${name}`, ""] as const,
);

export const request = (publicBlob: Uint8Array, change: Partial<PublickeyRequest> = {}): PublickeyRequest => ({
  username: USERNAME,
  algorithm: ALGORITHM,
  publicBlob,
  ...change,
});

/** Trusts one authority in all that a certificate says, and allows everything to those it lets in. */
export class CertificateServer extends TargetServer {
  decide: (key: PKey) => AuthDecision | Promise<AuthDecision> = () => this.grant();

  grant(options: GrantOptions = {}): Grant {
    return new Grant({ authority, ...options });
  }

  override checkAuthPublickey(_username: string, offered: PKey) {
    return this.decide(offered);
  }

  override checkChannelRequest() {
    return OPEN_SUCCEEDED;
  }

  override checkChannelShellRequest(channel: Channel) {
    return this.checkChannelExecRequest(channel, Buffer.from("shell"));
  }

  override checkChannelSubsystemRequest(channel: Channel) {
    return this.checkChannelExecRequest(channel, Buffer.from("subsystem"));
  }

  override checkChannelPtyRequest() {
    return true;
  }

  override checkChannelEnvRequest() {
    return true;
  }

  override checkChannelX11Request() {
    return true;
  }

  override checkPortForwardRequest() {
    return 8022;
  }

  override checkPortForwardCancelRequest() {
    return true;
  }

  override checkGlobalRequest() {
    return true;
  }
}

/** A server that takes certificates, and a client that is about to log in. */
export class CertificateAttack {
  readonly attacked: Attacked<CertificateServer>;
  client: PacketClient;

  private constructor(attacked: Attacked<CertificateServer>, client: PacketClient) {
    this.attacked = attacked;
    this.client = client;
  }

  static async begin(): Promise<CertificateAttack> {
    const attacked = await Attacked.start(new CertificateServer(), { maxAuthTries: 100 });
    return new CertificateAttack(attacked, await attacked.authenticating());
  }

  get server(): CertificateServer {
    return this.attacked.server;
  }

  /** Calls of one hook. */
  named(name: string): readonly HookCall[] {
    return this.attacked.calls.filter((call) => call.name === name);
  }

  /** A login with whatever blob, signed as it takes. */
  proof(blob: Uint8Array, signer: Pick<PKey, "sign"> = key): Buffer {
    return publickeyProof(request(blob), signer.sign(publickeySignedData(this.client.sessionId, request(blob))));
  }

  async expectRefused(payload: Buffer): Promise<void> {
    const answer = await this.client.authenticate(payload);
    expect(readUserauthFailure(answer).partialSuccess).toBe(false);
  }

  /** Sends logins with each blob, on as many connections as it takes. */
  async expectAllRefused(blobs: readonly Uint8Array[]): Promise<void> {
    for (const [index, blob] of blobs.entries()) {
      if (index > 0 && index % 90 === 0) {
        await this.client.close();
        this.client = await this.attacked.authenticating();
      }
      await this.expectRefused(this.proof(blob));
    }
  }

  async expectNobody(): Promise<void> {
    expect(this.named("onAuthenticationSuccessful")).toEqual([]);
    await this.end();
  }

  /** No hook was asked about the key, either. */
  async expectUnheard(): Promise<void> {
    for (const hook of ["checkAuthPublickey", "checkKeyRevoked"]) expect(this.named(hook)).toEqual([]);
    await this.expectNobody();
  }

  /** The client leaves, and nothing is left of it. */
  async end(): Promise<void> {
    await this.client.close();
    await this.attacked.expectUnharmed();
  }
}
