/** What was typed into the form of a test run, for when the page comes back. Of one tab. */
export type TypedInputs = { message?: string; values?: Record<string, unknown> }

const keyOf = (workflowId: string) => `coze-plus.test-inputs.${workflowId}`

export function readTypedInputs(workflowId: string): TypedInputs {
  return parseTyped(sessionStorage.getItem(keyOf(workflowId)))
}

export function keepTypedInputs(workflowId: string, typed: TypedInputs): void {
  try {
    sessionStorage.setItem(keyOf(workflowId), JSON.stringify(typed))
  } catch {
    // no room or not allowed: it is typed again
  }
}

/** Written by this file only. */
function parseTyped(text: string | null): TypedInputs {
  try {
    return text === null ? {} : (JSON.parse(text) as TypedInputs)
  } catch {
    return {}
  }
}
