/** For `where id in (…)`: a list of no ids would be no SQL, and no row has this one. */
export const toInList = (ids: ReadonlySet<string> | undefined): string[] => (ids === undefined || ids.size === 0 ? ['-1'] : [...ids])
