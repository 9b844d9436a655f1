/** The program that a client wants, once it is allowed. */
export interface SessionRequest {
  readonly kind: "exec" | "shell" | "subsystem" | "sftp" | "scp";
  readonly command?: Buffer;
  readonly subsystem?: string;
}
