import { z } from 'zod'
import { pageOf, pagingFields, searchField, timeField } from './paging-wire.ts'
import { newUserSchema, passwordChangeSchema } from './session-wire.ts'

const roleField = z.enum(['admin', 'user'], 'must be admin or user')

export const userListQuery = z.object({ ...pagingFields, search: searchField })
export const userSchema = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role: roleField,
  /** Cannot sign in, and their keys open nothing. */
  is_disabled: z.boolean(),
  created_at: timeField,
})
/** In the order they came. */
export const userPageSchema = pageOf(userSchema)

export const newAccountSchema = newUserSchema.extend({ role: roleField.default('user') })
/** What is left out stays. One's own account cannot lose its role or be disabled, so an administrator always remains. */
export const userChangeSchema = z.object({
  name: z.string().trim().min(1, 'must not be empty').max(255, 'must have at most 255 characters').optional(),
  role: roleField.optional(),
  is_disabled: z.boolean('must be true or false').optional(),
})
/** Ends all sessions of the user. */
export const passwordResetSchema = passwordChangeSchema.pick({ new_password: true })

export type User = z.infer<typeof userSchema>
export type UserPage = z.infer<typeof userPageSchema>
export type NewAccount = z.input<typeof newAccountSchema>
export type UserChange = z.input<typeof userChangeSchema>
