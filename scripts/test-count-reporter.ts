import type { Reporter, SerializedError, TestCase, TestModule, TestSuite } from 'vitest/node'

/** What one test run came to. Everything that went wrong outside a test counts as a failure of its own. */
export type TestCounts = { passed: number; failed: number; skipped: number }

/** A Vitest reporter that prints nothing and sends the counts to the process that forked Vitest. */
export class TestCountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const counts = modules.map(countModule).reduce(addCounts, { passed: 0, failed: unhandledErrors.length, skipped: 0 })
    process.send?.(counts)
  }
}

// Vitest takes reporters from a file's default export
export default TestCountReporter

function countModule(module: TestModule): TestCounts {
  const tests = [...module.children.allTests()]
  const groups = [module, ...module.children.allSuites()]

  return {
    passed: tests.filter((test) => isState(test, 'passed')).length,
    // a test that never got a result was not run: that is no success
    failed: tests.filter((test) => isState(test, 'failed') || isState(test, 'pending')).length + groups.filter(hasOwnFailure).length,
    skipped: tests.filter((test) => isState(test, 'skipped')).length,
  }
}

function isState(test: TestCase, state: string): boolean {
  return test.result().state === state
}

/** A file that does not load or a hook that throws fails without any test failing. */
function hasOwnFailure(group: TestModule | TestSuite): boolean {
  return group.errors().length > 0
}

function addCounts(one: TestCounts, other: TestCounts): TestCounts {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed, skipped: one.skipped + other.skipped }
}
