import { useEffect, useEffectEvent, useRef, useState } from 'react'
import type { NodeState, RunGoesOn, RunStreamEvent, TestRun, WorkflowRun } from '../../../../server/src/http/console/workflow-run-wire.ts'
import { api } from '../../lib/api-client.ts'
import { isAbort, isPassing } from '../../lib/api-error.ts'
import { openEvents } from '../../lib/api-events.ts'

export type TestRunState = {
  run: WorkflowRun | undefined
  /** By path. */
  nodes: ReadonlyMap<string, NodeState>
  /** What nodes say while they run, by node. */
  said: ReadonlyMap<string, { title: string; text: string }>
  error: unknown
  isStarting: boolean
}

const NOTHING: TestRunState = { run: undefined, nodes: new Map(), said: new Map(), error: undefined, isStarting: false }
const RECONNECT_MS = 1_500

const at = (runId: string) => `/api/console/workflow-runs/${runId}`

export type TestRunOptions = {
  /** One that was begun before: it is looked at again. */
  runId: string | undefined
  onRun: (runId: string) => void
}

/** A test run and what is seen of it while it goes. Leaving the page ends the watching, not the run. */
export function useTestRun(workflowId: string, { runId: earlierId, onRun }: TestRunOptions) {
  const [state, setState] = useState(NOTHING)
  const watching = useRef<AbortController>(undefined)

  const change = (part: Partial<TestRunState>) => setState((before) => ({ ...before, ...part }))
  const watch = async (runId: string, cursor: number) => {
    watching.current?.abort()
    const controller = new AbortController()
    watching.current = controller
    const onEvent = (event: RunStreamEvent) => setState((before) => withEvent(before, event))
    try {
      await follow({ runId, cursor, signal: controller.signal }, onEvent)
    } catch (error) {
      if (!isAbort(error) && !controller.signal.aborted) change({ error })
    }
  }

  const takeUp = useEffectEvent((run: WorkflowRun) => {
    if (run.workflow_id !== workflowId) return
    change({ run })
    void watch(run.id, 0)
  })
  const [firstId] = useState(earlierId)
  useEffect(() => {
    const asking = new AbortController()
    // one that is gone, or cannot be had now, leaves the panel as before any run
    if (firstId !== undefined) api.get<WorkflowRun>(at(firstId), { signal: asking.signal }).then(takeUp, () => undefined)
    return () => {
      asking.abort()
      watching.current?.abort()
    }
  }, [firstId])

  const start = async (request: TestRun) => {
    watching.current?.abort()
    setState({ ...NOTHING, isStarting: true })
    try {
      const run = await api.post<WorkflowRun>(`/api/console/workflows/${workflowId}/test-runs`, request)
      change({ run, isStarting: false })
      onRun(run.id)
      void watch(run.id, 0)
    } catch (error) {
      change({ error, isStarting: false })
    }
  }
  const answer = async (runId: string, { eventId, data }: { eventId: string; data: string }) => {
    const { cursor, ...run } = await api.post<RunGoesOn>(`${at(runId)}/answer`, { event_id: eventId, data })
    change({ run, error: undefined })
    void watch(runId, cursor)
  }
  const cancel = async (runId: string) => change({ run: await api.post<WorkflowRun>(`${at(runId)}/cancel`, {}) })

  return { state, start, answer, cancel, clear: () => setState(NOTHING) }
}

type Followed = { runId: string; cursor: number; signal: AbortSignal }

/** Until the run ends or waits; a connection that breaks is opened again where it was. */
async function follow({ runId, cursor, signal }: Followed, onEvent: (event: RunStreamEvent) => void): Promise<void> {
  const place = { cursor }
  while (!(await readStream({ runId, place, signal }, onEvent))) {
    await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
    signal.throwIfAborted()
  }
}

type Reading = { runId: string; place: { cursor: number }; signal: AbortSignal }

/** Whether it came to its end; a stream without one was cut by somebody in between. */
async function readStream({ runId, place, signal }: Reading, onEvent: (event: RunStreamEvent) => void): Promise<boolean> {
  try {
    for await (const { id, data } of openEvents(`${at(runId)}/stream`, { signal, query: { starting_after: place.cursor } })) {
      if (id !== undefined) place.cursor = Number(id)
      const event = parseRunEvent(data)
      if (event.type === 'end') return true
      onEvent(event)
    }
    return false
  } catch (error) {
    if (isPassing(error)) return false
    throw error
  }
}

const parseRunEvent = (data: string) => JSON.parse(data) as RunStreamEvent

function withEvent(state: TestRunState, event: RunStreamEvent): TestRunState {
  switch (event.type) {
    case 'nodes':
      return { ...state, nodes: new Map([...state.nodes, ...event.nodes.map((node) => [node.path, node] as const)]) }
    case 'message': {
      const before = state.said.get(event.node_id)?.text ?? ''
      return { ...state, said: new Map(state.said).set(event.node_id, { title: event.node_title, text: before + event.content }) }
    }
    case 'run':
      return { ...state, run: event.run }
    case 'end':
      return state
  }
}
