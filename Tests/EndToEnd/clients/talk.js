// Debian's node-mqtt: subscribes, publishes with every QoS, leaves and comes back to its session, and tells what it got as lines of JSON.
// Usage: node talk.js URL VERSION [CA CERTIFICATE KEY]
const fs = require('fs')
const mqtt = require('mqtt')

const [url, version, ca, certificate, key] = process.argv.slice(2)
const isVersion5 = version === '5'
const name = `node-mqtt-${version}-${process.pid}`
const topic = (number) => `${name}/${number}`

function connect (clean) {
  const options = { clientId: name, protocolVersion: Number(version), clean, reconnectPeriod: 0 }
  if (isVersion5) options.properties = { sessionExpiryInterval: 60, receiveMaximum: 10 }
  if (ca) Object.assign(options, { ca: fs.readFileSync(ca), cert: fs.readFileSync(certificate), key: fs.readFileSync(key) })
  const client = mqtt.connect(url, options)
  client.on('error', (error) => { throw error })
  return client
}

function tell (what) { console.log(JSON.stringify(what)) }

function publish (client, number) {
  const options = { qos: number }
  if (isVersion5) options.properties = { userProperties: { number: `${number}` }, contentType: 'text/plain' }
  client.publish(topic(number), `message ${number}`, options, (error) => { if (error) throw error })
}

const first = connect(true)
let received = 0
first.on('connect', (connack) => {
  tell({ connected: true, sessionPresent: connack.sessionPresent })
  first.subscribe(`${name}/+`, { qos: 2 }, (error, granted) => {
    if (error) throw error
    tell({ granted: granted.map((each) => each.qos) })
    for (const number of [0, 1, 2]) publish(first, number)
  })
})
first.on('message', (from, payload, packet) => {
  const users = packet.properties && packet.properties.userProperties
  tell({ topic: from.slice(name.length + 1), payload: `${payload}`, qos: packet.qos, number: users ? users.number : null })
  received += 1
  if (received === 3) first.end(false, {}, () => { isVersion5 ? back() : process.exit(0) })
})

function back () {
  const second = connect(false)
  second.on('connect', (connack) => {
    tell({ connected: true, sessionPresent: connack.sessionPresent })
    second.unsubscribe(`${name}/+`, (error) => {
      if (error) throw error
      second.end(false, {}, () => process.exit(0))
    })
  })
}
