import type { SavedWorkflow, SaveWorkflow, Workflow, WorkflowDraft } from '../../../../server/src/http/console/builder-workflow-wire.ts'
import { ApiError, isPassing } from '../../lib/api-error.ts'
import { isObject, parseJsonText, toJsonText } from './canvas-json.ts'
import type { JsonObject } from './canvas-json.ts'
import type { WorkflowStash } from './workflow-stash.ts'

export type DraftInfo = Omit<WorkflowDraft, 'canvas'>

export type SaveState =
  | { kind: 'saved' }
  /** There are changes; they are saved in a moment. */
  | { kind: 'changed' }
  | { kind: 'saving' }
  /** What is drawn is not stored; it is tried again when that may help. */
  | { kind: 'failed'; error: unknown }
  /** Somebody else has saved meanwhile: the person decides. */
  | { kind: 'conflict' }

export type EditorState = {
  info: DraftInfo
  canvas: JsonObject
  past: JsonObject[]
  future: JsonObject[]
  save: SaveState
  /** What the server said with the last save. */
  stored: SavedWorkflow
  /** There were changes of this tab that no server had seen: they are drawn. */
  isRecovered: boolean
}

/** A workflow that is being edited: what is drawn, what was drawn before, and what of it is stored. */
export type EditorStore = {
  getState(): EditorState
  subscribe(listener: () => void): () => void
  /** Edits with the same key that follow each other quickly are one step of undo. Nothing happens when nothing changes. */
  edit(change: (canvas: JsonObject) => JsonObject, key?: string): void
  setInfo(info: Partial<DraftInfo>): void
  undo(): void
  redo(): void
  /** Whether all is stored when it is done. */
  saveNow(): Promise<boolean>
  /** What the server has now, instead of what is drawn here. */
  takeOver(workflow: Workflow): void
  /** What is drawn here, on top of the revision that the server has now. */
  overwrite(revision: string): Promise<boolean>
  /** Something else than a save has changed what is stored, such as publishing. */
  noteStored(stored: SavedWorkflow): void
  /** The page may go away now: what is not stored is kept for when it comes back. */
  keep(): void
  /** Tries once more to save what is not stored yet, and ends. */
  dispose(): void
}

export type EditorDeps = {
  save(request: SaveWorkflow): Promise<SavedWorkflow>
  stash: WorkflowStash
  saveDelayMs?: number
  retryDelayMs?: number
}

const SAVE_DELAY_MS = 800
const RETRY_DELAY_MS = 5_000
const SAME_EDIT_MS = 1_500
const MAX_STEPS = 200

export function createEditorStore(workflow: Workflow, deps: EditorDeps): EditorStore {
  const listeners = new Set<() => void>()
  let state = toState(workflow)
  let lastEdit = { key: '', at: 0 }
  const room: Room = {
    getState: () => state,
    set(change) {
      state = { ...state, ...change }
      for (const listener of listeners) listener()
    },
  }
  const saving = createSaving(room, deps)
  recover(room, deps.stash)

  const step = (from: 'past' | 'future', to: 'past' | 'future') => {
    const canvas = state[from].at(-1)
    if (!canvas) return
    lastEdit = { key: '', at: 0 }
    saving.changed({ canvas, [from]: state[from].slice(0, -1), [to]: [...state[to], state.canvas] })
  }

  return {
    getState: room.getState,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    edit(change, key = '') {
      const canvas = change(state.canvas)
      if (canvas === state.canvas) return
      const now = Date.now()
      const goesOn = key !== '' && key === lastEdit.key && now - lastEdit.at < SAME_EDIT_MS
      lastEdit = { key, at: now }
      saving.changed({ canvas, future: [], past: goesOn ? state.past : [...state.past, state.canvas].slice(-MAX_STEPS) })
    },
    setInfo: (info) => saving.changed({ info: { ...state.info, ...info } }),
    undo: () => step('past', 'future'),
    redo: () => step('future', 'past'),
    saveNow: saving.saveNow,
    takeOver(theirs) {
      // what was drawn here is one undo away
      const mine = { past: [...state.past, state.canvas], future: [] }
      saving.stored({ ...toState(theirs), ...mine })
    },
    overwrite(revision) {
      room.set({ stored: { ...state.stored, revision }, save: { kind: 'changed' } })
      return saving.saveNow()
    },
    noteStored: (stored) => room.set({ stored }),
    keep: saving.keep,
    dispose: saving.dispose,
  }
}

/** What an earlier page has left is drawn; the first `saveNow` stores it. Where the server has something newer, the person decides. */
function recover(room: Room, stash: WorkflowStash): void {
  const left = stash.read()
  if (!left) return
  const { info, canvas } = toDrawn(left.draft)
  const { stored, canvas: before } = room.getState()
  if (toJsonText(canvas) === toJsonText(before) && JSON.stringify(info) === JSON.stringify(room.getState().info)) return stash.clear()
  const save: SaveState = { kind: left.revision === stored.revision ? 'changed' : 'conflict' }
  room.set({ info, canvas, past: [before], isRecovered: true, save })
}

type Room = { getState(): EditorState; set(change: Partial<EditorState>): void }

/** What the server has, and in the stash what it has not. */
function createKeeping({ getState }: Room, stash: WorkflowStash) {
  let saved = { canvas: getState().canvas, info: getState().info }
  const isStored = () => getState().canvas === saved.canvas && getState().info === saved.info
  return {
    isStored,
    noteSaved: (drawn: typeof saved) => void (saved = drawn),
    keep() {
      const { info, canvas, stored } = getState()
      if (isStored()) stash.clear()
      else stash.write({ draft: { ...info, canvas: toJsonText(canvas) }, revision: stored.revision })
    },
  }
}

/** Stores what has changed a moment after the last change, one request at a time. */
function createSaving(room: Room, { save, stash, saveDelayMs = SAVE_DELAY_MS, retryDelayMs = RETRY_DELAY_MS }: EditorDeps) {
  const { getState, set } = room
  const { isStored, noteSaved, keep } = createKeeping(room, stash)
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<boolean> | undefined
  let isEnded = false

  const later = (delayMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => void saveNow(), delayMs)
  }

  async function saveOnce(): Promise<boolean> {
    const { canvas, info, stored: before } = getState()
    set({ save: { kind: 'saving' } })
    try {
      const stored = await save({ draft: { ...info, canvas: toJsonText(canvas) }, revision: before.revision })
      noteSaved({ canvas, info })
      set({ stored, save: { kind: isStored() ? 'saved' : 'changed' } })
      keep()
      return true
    } catch (error) {
      const isConflict = error instanceof ApiError && error.failure === 'conflict'
      set({ save: isConflict ? { kind: 'conflict' } : { kind: 'failed', error } })
      keep()
      // whoever opens the workflow again goes on with what is kept
      if (isPassing(error) && !isEnded) later(retryDelayMs)
      return false
    }
  }

  async function saveAll(): Promise<boolean> {
    while (!isStored()) if (!(await saveOnce())) return false
    // what was changed and changed back needs no saving
    if (getState().save.kind !== 'saved') set({ save: { kind: 'saved' } })
    return true
  }

  function saveNow(): Promise<boolean> {
    clearTimeout(timer)
    if (getState().save.kind === 'conflict') return Promise.resolve(false)
    running ??= saveAll().finally(() => (running = undefined))
    return running
  }

  return {
    saveNow,
    keep,
    changed(change: Partial<EditorState>) {
      const isHalted = getState().save.kind === 'conflict'
      set({ ...change, ...(!isHalted && { save: { kind: 'changed' } }) })
      if (!isHalted) later(saveDelayMs)
    },
    stored(state: EditorState) {
      clearTimeout(timer)
      noteSaved({ canvas: state.canvas, info: state.info })
      set(state)
      keep()
    },
    dispose() {
      isEnded = true
      keep()
      if (!isStored()) void saveNow()
      clearTimeout(timer)
    },
  }
}

function toState({ draft, ...stored }: Workflow): EditorState {
  return { ...toDrawn(draft), past: [], future: [], save: { kind: 'saved' }, stored, isRecovered: false }
}

function toDrawn({ canvas, ...info }: WorkflowDraft): { info: DraftInfo; canvas: JsonObject } {
  return { info, canvas: readCanvasText(canvas) }
}

/** What is no object is an empty canvas: the server stores no such text. */
function readCanvasText(text: string): JsonObject {
  const canvas = parseJsonText(text)
  return isObject(canvas) ? canvas : { nodes: [], edges: [] }
}
