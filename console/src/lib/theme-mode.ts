import { useSyncExternalStore } from 'react'

/** What the person chose; `system` follows the machine. */
export const themeModes = ['system', 'light', 'dark'] as const
export type ThemeMode = (typeof themeModes)[number]

const STORED_AS = 'coze-plus.theme'
const systemDark = matchMedia('(prefers-color-scheme: dark)')
const listeners = new Set<() => void>()

export function useThemeMode(): ThemeMode {
  return useSyncExternalStore(subscribe, readThemeMode)
}

/** What is shown now. */
export function useIsDark(): boolean {
  return useSyncExternalStore(subscribe, isDark)
}

export function changeThemeMode(mode: ThemeMode): void {
  localStorage.setItem(STORED_AS, mode)
  for (const listener of listeners) listener()
}

const readThemeMode = (): ThemeMode => themeModes.find((mode) => mode === localStorage.getItem(STORED_AS)) ?? 'system'

function isDark(): boolean {
  const mode = readThemeMode()
  return mode === 'system' ? systemDark.matches : mode === 'dark'
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  systemDark.addEventListener('change', listener)
  // another tab has changed it
  window.addEventListener('storage', listener)
  return () => {
    listeners.delete(listener)
    systemDark.removeEventListener('change', listener)
    window.removeEventListener('storage', listener)
  }
}
