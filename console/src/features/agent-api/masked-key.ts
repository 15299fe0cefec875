/** In the place of a key that is not there. */
export const KEY_PLACEHOLDER = 'pat_YOUR_KEY'

/** What is shown of a key. */
export const maskKey = (apiKey: string): string => (apiKey === '' ? KEY_PLACEHOLDER : `pat_****${apiKey.slice(-4)}`)
