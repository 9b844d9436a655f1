import * as authenticators from "../../../src/authenticators/index.js";
import {
  key,
  logger,
  notChoice,
  notFlag,
  notFunction,
  nothing,
  notLogger,
  notNumber,
  notText,
  type OptionSubject,
} from "./values.js";

const fileOptions = {
  logger: notLogger,
  maxFileSize: [...notNumber, 0, 1.5],
  strictModes: notFlag,
};

const lineOptions = { ...fileOptions, owner: notFunction, permitUserEnvironment: notFlag };

const validFileOptions = { logger, maxFileSize: 1000, strictModes: true };

const validLineOptions = { ...validFileOptions, owner: nothing, permitUserEnvironment: false };

const source = {
  within: "source",
  valid: { file: "/nonexistent/%u" },
  wrong: { file: [5, true, {}, ""] },
  required: ["file"],
};

export const AUTHENTICATOR_SUBJECTS: readonly OptionSubject[] = [
  {
    name: "authorizedKeys",
    call: (options) => authenticators.authorizedKeys("", options),
    optional: true,
    valid: validLineOptions,
    wrong: lineOptions,
  },
  {
    name: "authorizedKeys",
    call: (options) => authenticators.authorizedKeys(options),
    shorthands: ["", nothing],
    ...source,
  },
  {
    name: "trustedUserCAs",
    call: (options) => authenticators.trustedUserCAs([key], options),
    optional: true,
    valid: { ...validLineOptions, principals: nothing },
    wrong: { ...lineOptions, principals: ["ann", 5, ["ann"]] },
    notUndefined: ["principals"],
  },
  {
    name: "trustedUserCAs",
    call: (options) => authenticators.trustedUserCAs(options),
    shorthands: ["", nothing, []],
    ...source,
  },
  {
    name: "trustedUserCAs",
    call: (principals) => authenticators.trustedUserCAs([key], { principals }),
    shorthands: [nothing],
    ...source,
    within: "principals",
  },
  {
    name: "passwordFile",
    call: (options) => authenticators.passwordFile(new Map(), options),
    optional: true,
    valid: validFileOptions,
    wrong: { ...fileOptions, example: [...notText, "secret"] },
  },
  {
    name: "passwordFile",
    call: (options) => authenticators.passwordFile(options),
    shorthands: ["", nothing],
    ...source,
  },
  {
    name: "revokedKeys",
    call: (options) => authenticators.revokedKeys("", options),
    optional: true,
    valid: validFileOptions,
    wrong: fileOptions,
  },
  {
    name: "revokedKeys",
    call: (options) => authenticators.revokedKeys(options, { logger: false }),
    shorthands: ["", nothing],
    ...source,
  },
  {
    name: "totp",
    call: (options) => authenticators.totp(new Map(), options),
    optional: true,
    valid: { ...validFileOptions, digits: 8, window: 2 },
    wrong: {
      ...fileOptions,
      algorithm: notChoice,
      digits: [...notNumber, 5, 6.5],
      period: [...notNumber, 14],
      window: [...notNumber, 3],
    },
  },
  { name: "totp", call: (options) => authenticators.totp(options), shorthands: ["", nothing], ...source },
  {
    name: "newTotpSecret",
    call: (options) => authenticators.newTotpSecret(options),
    optional: true,
    valid: { algorithm: "sha256" },
    wrong: { algorithm: notChoice },
  },
  {
    name: "otpauthUri",
    call: (options) => authenticators.otpauthUri(options),
    valid: { issuer: "example", username: "ann", secret: authenticators.newTotpSecret() },
    wrong: {
      issuer: [...notText, "", "a:b"],
      username: [...notText, "", "a:b"],
      secret: [...notText, "", "geheim!"],
      algorithm: notChoice,
      digits: notNumber,
      period: notNumber,
    },
    required: ["issuer", "username", "secret"],
  },
];
