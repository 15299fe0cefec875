import { useSearchParams } from 'react-router'

export type Address = {
  /** Empty when it is not there. */
  get(name: string): string
  /** From 1. */
  page: number
  /** Empty values are left out. Any change but that of the page begins at the first page. */
  change(fields: Record<string, string>, options?: { replace?: boolean }): void
  goTo(page: number): void
}

/** What a list shows, kept in the page's address: links, reload and "back" find the same again. */
export function useAddress(): Address {
  const [query, setQuery] = useSearchParams()

  const change: Address['change'] = (fields, options) => {
    const next = new URLSearchParams(query)
    for (const [name, value] of Object.entries({ page: '', ...fields })) {
      if (value === '') next.delete(name)
      else next.set(name, value)
    }
    setQuery(next, options)
  }
  return {
    get: (name) => query.get(name) ?? '',
    page: Math.max(1, Math.trunc(Number(query.get('page'))) || 1),
    change,
    goTo: (page) => change({ page: page === 1 ? '' : String(page) }),
  }
}
