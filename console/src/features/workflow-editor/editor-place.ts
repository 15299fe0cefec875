import { useCallback, useEffect, useState } from 'react'
import { useSearchParams } from 'react-router'

/** What of the editor is open: links and reload find it again. */
export type EditorPlace = {
  /** The node whose settings are open. */
  selectedId: string | undefined
  panel: 'issues' | 'test' | undefined
  /** The test run that is looked at. */
  runId: string | undefined
}
export type PlaceProps = { place: EditorPlace; setPlace: (change: Partial<EditorPlace>) => void }

/**
 * Kept in the page's address. The state goes first and the address follows: a click that selects a node does not wait for the router. "Back"
 * leads to the page before, not through all nodes that were looked at.
 */
export function useEditorPlace(): [EditorPlace, PlaceProps['setPlace']] {
  const [query, setQuery] = useSearchParams()
  const [place, setPlace] = useState(() => readPlace(query))
  const wanted = toQuery(place)

  useEffect(() => {
    setQuery(wanted, { replace: true })
    // @NOTE the address is written when the place changes, never the other way round
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [wanted])
  const change = useCallback((part: Partial<EditorPlace>) => setPlace((before) => ({ ...before, ...part })), [])
  return [place, change]
}

const PANELS = ['issues', 'test'] as const

function readPlace(query: URLSearchParams): EditorPlace {
  const panel = query.get('panel')
  return {
    selectedId: query.get('node') ?? undefined,
    panel: PANELS.find((each) => each === panel),
    runId: query.get('run') ?? undefined,
  }
}

function toQuery({ selectedId, panel, runId }: EditorPlace): string {
  const fields = Object.entries({ node: selectedId, panel, run: runId })
  return new URLSearchParams(fields.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))).toString()
}
