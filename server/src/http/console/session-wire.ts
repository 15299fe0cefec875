import { z } from 'zod'

// long enough for every real one, short enough to be no work
const emailField = z.string().trim().min(1, 'must be an e-mail address').max(255, 'must have at most 255 characters')
const passwordField = z.string().min(1, 'must not be empty').max(1000, 'must have at most 1000 characters')

export const credentialsSchema = z.object({ email: emailField, password: passwordField })
export type CredentialsWire = z.infer<typeof credentialsSchema>

export const newUserSchema = credentialsSchema.extend({ name: z.string().max(255, 'must have at most 255 characters').optional() })
export type NewUserWire = z.infer<typeof newUserSchema>

export const passwordChangeSchema = z.object({ current_password: passwordField, new_password: passwordField })
export type PasswordChangeWire = z.infer<typeof passwordChangeSchema>

export const consoleUserSchema = z.object({ id: z.string(), email: z.string(), name: z.string(), role: z.enum(['admin', 'user']) })
export type ConsoleUserWire = z.infer<typeof consoleUserSchema>

/** What the console must know before it shows anything. */
export const consoleStateSchema = z.object({
  /** Without any, the console asks for the first administrator. */
  has_users: z.boolean(),
  /** Who is signed in. */
  user: consoleUserSchema.nullable(),
  may_sign_up: z.boolean(),
  version: z.string(),
  /** Base URL of the API, without a slash at its end. */
  base_url: z.string(),
})
export type ConsoleStateWire = z.infer<typeof consoleStateSchema>
