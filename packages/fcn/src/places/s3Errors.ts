import { TensorError } from "@fcn/tensor";
import { fileError, reasonOf } from "../data/files/errors.js";
import { busyError, noSuchFile } from "./errors.js";

/** What the errors of the AWS SDK have beside a message. */
interface SdkError {
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
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
const NO_TLS = /^(EPROTO$|ERR_(SSL|TLS)_|UNABLE_TO_|\w*CERT)/;

export const isNothing = (error: unknown): boolean =>
  ["NotFound", "NoSuchKey"].includes((error as SdkError)?.name ?? "");

/** The server that is asked, as it is set; throws `invalid-argument` unless that is an address. */
export function endpointOf({ AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL }: NodeJS.ProcessEnv): string | undefined {
  const endpoint = AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || undefined;
  if (endpoint === undefined || (/^https?:/i.test(endpoint) && URL.canParse(endpoint))) return endpoint;
  const variable = AWS_ENDPOINT_URL_S3 ? "AWS_ENDPOINT_URL_S3" : "AWS_ENDPOINT_URL";
  const fix = "write it as http://host:9000 or https://host";
  throw fileError("invalid-argument", "s3://", `${variable} is "${endpoint}", which is no address of a server`, fix);
}

/** The error for what the SDK threw when a file was read, listed or written. */
export function s3Error(action: "read" | "list" | "write" | "remove", address: string, cause: unknown): unknown {
  if (cause instanceof TensorError) return cause;
  const { name = "", code = "", message = "", $metadata } = (cause ?? {}) as SdkError;
  const status = $metadata?.httpStatusCode;
  if (isNothing(cause)) return noSuchFile(address, cause);
  const bucket = address.replace(/^s3:\/\/([^/]*).*$/is, "$1");
  if (name === "NoSuchBucket") {
    const fix = `check its name and AWS_ENDPOINT_URL_S3, or make it: aws s3 mb s3://${bucket}`;
    return fileError("missing-data", address, `there is no bucket ${bucket}`, fix, cause);
  }
  const busy = busyError(address, status, cause);
  if (busy) return busy;
  const endpoint = endpointOf(process.env) ?? "the server of the bucket";
  const away = (problem: string, fix: string): TensorError =>
    fileError("no-network", address, `${endpoint} ${problem}`, fix, cause);
  if (NO_TLS.test(code)) {
    const fix = "write http:// in AWS_ENDPOINT_URL_S3 if it has no TLS, or name its certificate in NODE_EXTRA_CA_CERTS";
    return away(`cannot be spoken with by TLS (${code})`, fix);
  }
  if (NO_ANSWER.test(code || name)) {
    return away(`does not answer (${code || name})`, "check the network and AWS_ENDPOINT_URL_S3");
  }
  const fault = action === "write" || action === "remove" ? "unwritable-file" : "unreadable-file";
  if (/^Region is missing/.test(message)) return fileError(fault, address, "no region is set", REGION, cause);
  if (/^Region not accepted/.test(message)) return fileError(fault, address, "AWS_REGION is no region", REGION, cause);
  if (/Deserialization error/.test(message)) return noBucketServer(address, fault, cause);
  const [problem, fix] = REASONS[name] ??
    (status === 403 ? [`access is denied (${RIGHTS[action]})`, RIGHTS_FIX(action)] : undefined) ?? [
      `${status === undefined ? "the request failed" : "the server of the bucket answered"}: ${reasonOf(cause)}`,
      "check the address, and run again",
    ];
  return fileError(fault, address, problem, fix, cause);
}

/** The error for an answer that no server of buckets gives: web servers stand at such addresses. */
export function noBucketServer(
  address: string,
  fault: "unreadable-file" | "unwritable-file" = "unreadable-file",
  cause?: unknown,
): TensorError {
  const endpoint = endpointOf(process.env) ?? "the server of the bucket";
  const fix = "check AWS_ENDPOINT_URL_S3: the web page of such a server often has another port";
  return fileError(fault, address, `${endpoint} does not answer as a server of buckets does`, fix, cause);
}

const RIGHTS = {
  read: "s3:GetObject",
  list: "s3:ListBucket",
  write: "s3:PutObject",
  remove: "s3:DeleteObject",
} as const;

const RIGHTS_FIX = (action: keyof typeof RIGHTS): string =>
  `check the credentials, and have them allowed ${RIGHTS[action]} on the bucket`;
