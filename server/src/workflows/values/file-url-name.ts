const PARAMETER = 'x-wf-file_name'

/** Takes the name that the editor adds to a file's URL out of it. What is left of the query gets the order of its keys. */
export function stripFileName(url: string): { url: string; name?: string } {
  const hashAt = url.indexOf('#')
  const beforeHash = hashAt < 0 ? url : url.slice(0, hashAt)
  const queryAt = beforeHash.indexOf('?')
  const query = queryAt < 0 ? '' : beforeHash.slice(queryAt)
  if (query.length < 2) return { url }

  const pairs = [...new URLSearchParams(query)]
  const name = pairs.find(([key]) => key === PARAMETER)?.[1]
  const rest = pairs.filter(([key]) => key !== PARAMETER).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const text = rest.map(([key, value]) => `${encode(key)}=${encode(value)}`).join('&')
  const stripped = beforeHash.slice(0, queryAt) + (text === '' ? '' : `?${text}`) + url.slice(beforeHash.length)
  return name ? { url: stripped, name } : { url: stripped }
}

/** As Go's `url.QueryEscape`, so that both products make one URL of one file. */
const encode = (text: string): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
