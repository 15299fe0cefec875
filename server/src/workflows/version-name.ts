import { AppError } from '../lib/app-error.ts'

/** A digit keeps it apart from words that mean something else where a version is asked for, such as `published`. */
export const VERSION_NAME = /^(?=.*\d)[A-Za-z0-9._+-]{1,50}$/

export const VERSION_NAME_RULE = 'must have 1 to 50 letters, digits, dots, _, + and -, with a digit among them, such as v1.0.0'

export function assertVersionName(version: string): void {
  if (!VERSION_NAME.test(version))
    throw new AppError('invalid_request', `the version ${JSON.stringify(version.slice(0, 100))} ${VERSION_NAME_RULE}`)
}

/** The last number goes up by one. */
export function nextVersionName(version: string | undefined): string {
  if (version === undefined) return 'v0.0.1'
  return /\d+$/.test(version) ? version.replace(/\d+$/, (digits) => String(BigInt(digits) + 1n)) : `${version}.1`
}
