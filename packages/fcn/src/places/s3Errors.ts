import { TensorError } from "@fcn/tensor";
import { fileError, reasonOf } from "../data/files/errors.js";
import { busyError, noSuchFile } from "./errors.js";

/** What the errors of the AWS SDK have beside a message. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const CREDENTIALS =
  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE to a profile of ~/.aws, as for the command aws";
const REGION = "set AWS_REGION to the region of the bucket";

/** Names of errors: the problem and the remedy. */
const REASONS: Readonly<Record<string, readonly [problem: string, fix: string]>> = {
  CredentialsProviderError: ["no credentials were found", CREDENTIALS],
  InvalidAccessKeyId: ["the server does not know the access key", CREDENTIALS],
  SignatureDoesNotMatch: ["the secret key is not that of the access key", CREDENTIALS],
  ExpiredToken: ["the credentials have expired", "sign in again, or set new ones"],
  InvalidToken: ["the session token is not valid", "sign in again, or set AWS_SESSION_TOKEN anew"],
  PermanentRedirect: ["the bucket is in another region", REGION],
  AuthorizationHeaderMalformed: ["the bucket is in another region", REGION],
  RequestTimeTooSkewed: ["the clock of this machine is wrong", "set the clock"],
};

const NO_ANSWER = /^(ECONN|ENOTFOUND$|EHOSTUNREACH$|ENETUNREACH$|ETIMEDOUT$|EAI_AGAIN$|EPIPE$|TimeoutError$)/;

export const isNothing = (error: unknown): boolean =>
  ["NotFound", "NoSuchKey"].includes((error as SdkError)?.name ?? "");

/** The error for what the SDK threw when a file was read, listed or written. */
export function s3Error(action: "read" | "list" | "write" | "remove", address: string, cause: unknown): unknown {
  if (cause instanceof TensorError) return cause;
  const { name = "", code = "", $metadata } = (cause ?? {}) as SdkError;
  if (isNothing(cause)) return noSuchFile(address, cause);
  const bucket = address.replace(/^s3:\/\/([^/]*).*$/is, "$1");
  if (name === "NoSuchBucket") {
    const fix = `check its name and AWS_ENDPOINT_URL_S3, or make it: aws s3 mb s3://${bucket}`;
    return fileError("missing-data", address, `there is no bucket ${bucket}`, fix, cause);
  }
  const busy = busyError(address, $metadata?.httpStatusCode, cause);
  if (busy) return busy;
  if (NO_ANSWER.test(code || name)) {
    const endpoint = process.env.AWS_ENDPOINT_URL_S3 || process.env.AWS_ENDPOINT_URL || "the server of the bucket";
    const fix = "check the network and AWS_ENDPOINT_URL_S3";
    return fileError("no-network", address, `${endpoint} does not answer (${code || name})`, fix, cause);
  }
  const fault = action === "write" || action === "remove" ? "unwritable-file" : "unreadable-file";
  if (/^Region is missing/.test(reasonOf(cause))) return fileError(fault, address, "no region is set", REGION, cause);
  const [problem, fix] = REASONS[name] ??
    ($metadata?.httpStatusCode === 403 ? [`access is denied (${RIGHTS[action]})`, RIGHTS_FIX(action)] : undefined) ?? [
      `the server of the bucket answered: ${reasonOf(cause)}`,
      "check the address, and run again",
    ];
  return fileError(fault, address, problem, fix, cause);
}

const RIGHTS = {
  read: "s3:GetObject",
  list: "s3:ListBucket",
  write: "s3:PutObject",
  remove: "s3:DeleteObject",
} as const;

const RIGHTS_FIX = (action: keyof typeof RIGHTS): string =>
  `check the credentials, and have them allowed ${RIGHTS[action]} on the bucket`;
