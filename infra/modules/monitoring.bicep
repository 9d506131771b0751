// Where logs, traces and metrics go. Nothing may be written without a role: local authentication is off.
param location string
param tags object
param token string

module workspace 'br/public:avm/res/operational-insights/workspace:0.16.1' = {
  params: {
    name: 'log-${token}'
    location: location
    tags: tags
    dataRetention: 30
    dailyQuotaGb: '1'
    enableTelemetry: false
  }
}

module insights 'br/public:avm/res/insights/component:0.8.0' = {
  params: {
    name: 'appi-${token}'
    location: location
    tags: tags
    workspaceResourceId: workspace.outputs.resourceId
    retentionInDays: 30
    disableLocalAuth: true
    disableIpMasking: false
    enableTelemetry: false
  }
}

output insightsName string = insights.outputs.name
output connectionString string = insights.outputs.connectionString
