import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ConsoleApp } from './app/console-app.tsx'
import { giveStylesTheNonce } from './lib/style-nonce.ts'
import './app/global.css'

giveStylesTheNonce()

const place = document.getElementById('root')
if (!place) throw new Error('the page has no #root')
createRoot(place).render(
  <StrictMode>
    <ConsoleApp />
  </StrictMode>,
)
