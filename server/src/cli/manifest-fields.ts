import { z } from 'zod'

/** Fields that several kinds of things in a manifest have. */

export const text = (max: number) => z.string('must be text').max(max, `must have at most ${max} characters`)

export const nameField = text(255).min(1, 'must not be empty')

const ID_RULE = 'must be a positive whole number, at most 2^63 - 1'

/** Up to 19 digits, as a number or a text. */
export const idField = z
  .union([z.int(ID_RULE).positive(ID_RULE), z.string().regex(/^[1-9]\d{0,18}$/, ID_RULE)], { error: ID_RULE })
  .transform(String)
  .refine((digits) => /^\d+$/.test(digits) && BigInt(digits) < 2n ** 63n, ID_RULE)
  .optional()

const VERSION_RULE = 'must be text of at most 50 characters; quote what reads as a number, as "1.10"'
export const versionField = z.string(VERSION_RULE).min(1, VERSION_RULE).max(50, VERSION_RULE).optional()

export const publishField = z.object({ version: versionField, note: z.string().optional() }).strict().optional()

/** A name of the code as the manifest writes it. */
export const inManifest = (name: PropertyKey) =>
  typeof name === 'string' ? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`) : name
