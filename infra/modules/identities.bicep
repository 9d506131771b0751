// Two identities: the app's, and Event Grid's, which may do nothing but put messages on one queue.
param location string
param tags object
param token string

module app 'br/public:avm/res/managed-identity/user-assigned-identity:0.6.0' = {
  params: {
    name: 'id-app-${token}'
    location: location
    tags: tags
    enableTelemetry: false
  }
}

module events 'br/public:avm/res/managed-identity/user-assigned-identity:0.6.0' = {
  params: {
    name: 'id-events-${token}'
    location: location
    tags: tags
    enableTelemetry: false
  }
}

output appId string = app.outputs.resourceId
output appClientId string = app.outputs.clientId
output appPrincipalId string = app.outputs.principalId
output eventsId string = events.outputs.resourceId
output eventsPrincipalId string = events.outputs.principalId
