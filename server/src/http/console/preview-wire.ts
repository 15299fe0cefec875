import { z } from 'zod'
import { idField } from '../open/open-fields.ts'

/** A chat with the draft of an agent. It is kept as a test: in no list of the API, in no usage. */
export const previewSchema = z.object({
  query: z.string('must be a string').min(1, 'must not be empty').max(200_000, 'must have at most 200000 characters'),
  /** Ids of uploaded files that go with the question. */
  files: z
    .array(z.object({ id: idField, type: z.enum(['image', 'file']) }))
    .max(10, 'must have at most 10 entries')
    .default([]),
  /** To go on with; without one a new conversation begins. */
  conversation_id: idField.optional(),
  /** Values of the prompt's variables. */
  variables: z.record(z.string().max(100), z.string().max(10_000)).default({}),
})

/** The chat that has begun. Follow it with `GET …/preview/stream?conversation_id=…&chat_id=…`. */
export const previewChatSchema = z.object({ chat_id: z.string(), conversation_id: z.string() })

export const previewAddressSchema = z.object({ conversation_id: idField, chat_id: idField })
const CURSOR_RULE = 'must be the number of the last event you have, 0 for none'
export const cursorField = z.coerce.number(CURSOR_RULE).int(CURSOR_RULE).min(0, CURSOR_RULE).optional()
export const previewStreamQuery = previewAddressSchema.extend({ starting_after: cursorField })

/** What the functions have answered that the waiting chat called. */
export const previewOutputsSchema = previewAddressSchema.extend({
  tool_outputs: z
    .array(z.object({ tool_call_id: z.string(), output: z.string() }))
    .min(1)
    .max(100),
})
/** New events come after the cursor. */
export const previewGoesOnSchema = previewChatSchema.extend({ cursor: z.number() })

export type Preview = z.input<typeof previewSchema>
export type PreviewChat = z.infer<typeof previewChatSchema>
export type PreviewOutputs = z.input<typeof previewOutputsSchema>
