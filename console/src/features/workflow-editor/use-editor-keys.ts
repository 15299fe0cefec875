import { useEffect } from 'react'
import { useEditorRoom } from './editor-room.ts'

/** Ctrl or ⌘ with Z, Y, Shift Z and S. In fields the browser's own undo goes first. */
export function useEditorKeys(): void {
  const { store } = useEditorRoom()
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!event.ctrlKey && !event.metaKey) return
      const key = event.key.toLowerCase()
      if (key === 's') {
        event.preventDefault()
        void store.saveNow()
        return
      }
      if (isField(event.target)) return
      const action = key === 'y' || (key === 'z' && event.shiftKey) ? store.redo : key === 'z' ? store.undo : undefined
      if (!action) return
      event.preventDefault()
      action()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [store])
}

const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
