import { sql } from 'kysely'
import type { Expression, RawBuilder } from 'kysely'

/** For searches by a part of a text: what the user typed stands for itself, `%` and `_` too. Letters of either case are the same. */
export const containing = (text: string): string => `%${text.replace(/[!%_]/g, '!$&')}%`

export const likeText = (column: Expression<unknown>, pattern: string): RawBuilder<boolean> =>
  sql<boolean>`lower(${column}) like lower(${pattern}) escape '!'`

/** For searches that may name an id: one that nothing has where the text is none. */
export const toIdOrNone = (text: string): string => (/^\d{1,18}$/.test(text) ? text : '-1')
