import i18next from 'i18next'
import { useMemo } from 'react'
import { initReactI18next, useTranslation } from 'react-i18next'
import { preferredLanguage, rememberLanguage, toLanguage } from './languages.ts'
import type { Language } from './languages.ts'

type TextTree = { [key: string]: string | TextTree }
type SameShape<T> = { [K in keyof T]: T[K] extends string ? string : SameShape<T[K]> }

/** Texts of one part of the console in every language. */
export type Texts<T> = { namespace: string; en: T; zh: SameShape<T> }

/** `create.title`; a text that counts is written as `n_one` and `n_other`, and asked for as `n` with a `count`. */
export type TextKey<T> = { [K in keyof T & string]: T[K] extends string ? Countless<K> : `${K}.${TextKey<T[K]>}` }[keyof T & string]
type Countless<K extends string> = K extends `${infer Name}_${'one' | 'other'}` ? Name : K

export type TextValues = Record<string, string | number>
export type Translate<T> = (key: TextKey<T>, values?: TextValues) => string

void i18next.use(initReactI18next).init({
  lng: preferredLanguage(),
  fallbackLng: 'en',
  // React escapes
  interpolation: { escapeValue: false },
  react: { useSuspense: false },
  // texts come with the code that shows them
  resources: {},
})

/**
 * The texts of one `…-texts.ts` file. A value is written `{{name}}`. The compiler refuses a language that lacks a key; texts are there as
 * soon as the file is loaded, so that a lazy page brings its own.
 */
export function defineTexts<const T extends TextTree>(namespace: string, texts: { en: T; zh: SameShape<T> }): Texts<T> {
  i18next.addResourceBundle('en', namespace, texts.en)
  i18next.addResourceBundle('zh', namespace, texts.zh)
  return { namespace, ...texts }
}

/** `const t = useTexts(keysTexts)`, then `t('create.title', { name })`. Changes with the language. */
export function useTexts<T>({ namespace }: Texts<T>): Translate<T> {
  const { t } = useTranslation(namespace)
  return useMemo(() => (key: string, values) => t(key, { ...values }), [t])
}

/** For code outside of components; the answer is of the language of now. */
export function translate<T>({ namespace }: Texts<T>, key: TextKey<T>, values?: TextValues): string {
  const name: string = key
  return i18next.t(name, { ...values, ns: namespace })
}

export function useLanguage(): Language {
  const { i18n } = useTranslation()
  return toLanguage(i18n.language) ?? 'en'
}

/** The language of now, for formats. */
export const currentLanguage = (): Language => toLanguage(i18next.language) ?? 'en'

export async function changeLanguage(language: Language): Promise<void> {
  rememberLanguage(language)
  await i18next.changeLanguage(language)
}
