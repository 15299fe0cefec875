import { cleanup, configure } from '@testing-library/react'
import { afterEach } from 'vitest'

// what every browser has and jsdom has not
Object.defineProperty(window, 'matchMedia', {
  value: (media: string): Partial<MediaQueryList> => ({
    media,
    // nothing moves: without a screen no movement would come to its end
    matches: media.includes('prefers-reduced-motion'),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }),
})

class NoResizes implements ResizeObserver {
  observe() {}
  unobserve() {}
  disconnect() {}
}
globalThis.ResizeObserver = NoResizes
Element.prototype.scrollIntoView = () => undefined

// jsdom knows no pseudo-elements and complains about each question
const computedStyle = window.getComputedStyle.bind(window)
window.getComputedStyle = (element) => computedStyle(element)

// a machine that does other things too is late
configure({ asyncUtilTimeout: 5_000 })

afterEach(() => {
  cleanup()
  localStorage.clear()
})
