import { z } from 'zod'
import type { WantedUserTable } from '../workflows/tables/saved-user-tables.ts'
import { fieldTypes, reservedFieldIds, reservedFieldNames } from '../workflows/tables/user-table.ts'
import { idField, text } from './manifest-fields.ts'

export type ManifestDatabase = WantedUserTable & { owner: string | undefined }

const NAME_RULE = 'must have 1 to 64 letters, digits and _, and begin with a letter or _'
const sqlNameField = z.string(NAME_RULE).regex(/^[\p{L}_][\p{L}\p{N}_]{0,63}$/u, NAME_RULE)

const fieldSchema = z
  .object({
    id: idField.refine(
      (id) => id === undefined || !reservedFieldIds.includes(id),
      `must not be ${reservedFieldIds.join(', ')}: Coze's own fields`,
    ),
    name: sqlNameField.refine((name) => !reservedFieldNames.includes(name.toLowerCase()), 'is a field that every database has by itself'),
    type: z.enum(fieldTypes, `must be ${fieldTypes.join(', ')}`),
    required: z.boolean().default(false),
    description: text(1_000).default(''),
  })
  .strict()

/** One of the `databases` of a manifest: a table for workflows. */
export const databaseSchema = z
  .object({
    id: idField,
    owner: z.string().optional(),
    name: sqlNameField,
    description: text(10_000).default(''),
    fields: z
      .array(fieldSchema)
      .min(1, 'must have at least one field')
      .max(100, 'must have at most 100 fields')
      .superRefine((fields, context) => {
        const refuseRepeats = (key: 'id' | 'name', values: (string | undefined)[]) => {
          for (const [at, value] of values.entries())
            if (value !== undefined && values.indexOf(value) !== at)
              context.addIssue({ code: 'custom', path: [at, key], message: `${value} is there twice` })
        }
        // SQL does not tell upper and lower case apart
        refuseRepeats(
          'name',
          fields.map(({ name }) => name.toLowerCase()),
        )
        refuseRepeats(
          'id',
          fields.map(({ id }) => id),
        )
      }),
  })
  .strict()
  .transform(({ owner, ...rest }): ManifestDatabase => ({ ...rest, owner }))
