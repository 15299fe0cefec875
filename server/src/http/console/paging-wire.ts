import { z } from 'zod'
import { pageNumberField, pageSizeField } from '../open/open-fields.ts'

/**
 * What all lists of the console share. `*-wire.ts` files are the contract with the pages: they name nothing but zod and each
 * other, so that the console can import their types without the server's.
 */
export const MAX_PAGE_SIZE = 100

/** Pages count from 1. */
export const pagingFields = { page: pageNumberField, size: pageSizeField(MAX_PAGE_SIZE, 20) }

const SEARCH_RULE = 'must have at most 200 characters'
export const searchField = z.string().trim().max(200, SEARCH_RULE).optional()

/** Counting stops there: a `total` of this many says that there are at least so many. Only of lists that say so. */
export const MAX_COUNTED = 10_000

export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), total: z.number() })

/** Names the state that a draft was read in; it is another one after every change. A text without meaning of its own. */
export const revisionField = z.string('must be the revision that the draft was read with').min(1).max(100)

/** Milliseconds since 1970, as all times of the console. */
export const timeField = z.number()

export const emptySchema = z.object({})
