// A private endpoint for every service that the app calls, and for the app; the zones in which their names become its addresses.
param location string
param tags object
param token string
param networkId string
param subnetId string
param stateAccountId string
param dataAccountId string
param vaultId string
param appId string

var suffix = environment().suffixes.storage
var zoneNames = {
  blob: 'privatelink.blob.${suffix}'
  queue: 'privatelink.queue.${suffix}'
  table: 'privatelink.table.${suffix}'
  vault: 'privatelink.vaultcore.azure.net'
  sites: 'privatelink.azurewebsites.net'
}
var endpoints = [
  {
    name: 'state-blob'
    serviceId: stateAccountId
    group: 'blob'
    zone: zoneNames.blob
  }
  {
    name: 'state-queue'
    serviceId: stateAccountId
    group: 'queue'
    zone: zoneNames.queue
  }
  {
    name: 'state-table'
    serviceId: stateAccountId
    group: 'table'
    zone: zoneNames.table
  }
  {
    name: 'data-blob'
    serviceId: dataAccountId
    group: 'blob'
    zone: zoneNames.blob
  }
  {
    name: 'vault'
    serviceId: vaultId
    group: 'vault'
    zone: zoneNames.vault
  }
  {
    name: 'app'
    serviceId: appId
    group: 'sites'
    zone: zoneNames.sites
  }
]

module zones 'br/public:avm/res/network/private-dns-zone:0.8.1' = [
  for zone in items(zoneNames): {
    name: 'zone-${zone.key}'
    params: {
      name: zone.value
      tags: tags
      virtualNetworkLinks: [
        {
          virtualNetworkResourceId: networkId
          registrationEnabled: false
        }
      ]
      enableTelemetry: false
    }
  }
]

module privateEndpoints 'br/public:avm/res/network/private-endpoint:0.12.1' = [
  for endpoint in endpoints: {
    name: 'endpoint-${endpoint.name}'
    params: {
      name: 'pep-${endpoint.name}-${token}'
      location: location
      tags: tags
      subnetResourceId: subnetId
      privateLinkServiceConnections: [
        {
          name: endpoint.name
          properties: {
            privateLinkServiceId: endpoint.serviceId
            groupIds: [
              endpoint.group
            ]
          }
        }
      ]
      privateDnsZoneGroup: {
        privateDnsZoneGroupConfigs: [
          {
            privateDnsZoneResourceId: resourceId('Microsoft.Network/privateDnsZones', endpoint.zone)
          }
        ]
      }
      enableTelemetry: false
    }
    dependsOn: [
      zones
    ]
  }
]
