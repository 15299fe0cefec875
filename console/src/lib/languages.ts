export const languages = ['en', 'zh'] as const
export type Language = (typeof languages)[number]

const STORED_AS = 'coze-plus.language'

/** What was chosen here before, else what the browser prefers, else English. */
export function preferredLanguage(): Language {
  const wanted = [localStorage.getItem(STORED_AS), ...navigator.languages].filter((name) => name !== null)
  return wanted.map(toLanguage).find((language) => language !== undefined) ?? 'en'
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORED_AS, language)
}

/** `zh-Hans-CN` → `zh`; nothing for what there are no texts in. */
export function toLanguage(name: string): Language | undefined {
  return languages.find((language) => name.toLowerCase().split('-')[0] === language)
}
