import { AppError } from '../lib/app-error.ts'

/** argon2id with the library's parameters, which are OWASP's: 19 MiB, 2 passes. */
export async function hashPassword(password: string): Promise<string> {
  const { hash } = await import('@node-rs/argon2')
  return hash(password)
}

export async function isPasswordOf(hashed: string, password: string): Promise<boolean> {
  const { verify } = await import('@node-rs/argon2')
  return verify(hashed, password)
}

export const PASSWORD_MIN_LENGTH = 8
export const PASSWORD_MAX_LENGTH = 128

/** Throws `invalid_request` for a password that may not be chosen. */
export function checkNewPassword(password: string): void {
  if (password.length < PASSWORD_MIN_LENGTH || password.length > PASSWORD_MAX_LENGTH) {
    throw new AppError('invalid_request', `password: must have ${PASSWORD_MIN_LENGTH} to ${PASSWORD_MAX_LENGTH} characters`)
  }
}
